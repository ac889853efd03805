// The pages a person sees at the issuer: choosing who to be, signing out, and what went wrong.
import { readFileSync } from "node:fs";
import { html, raw } from "hono/html";

/** Someone who can be chosen with one press. */
export interface IssuerCreator {
  readonly creatorId: string;
  readonly name: string;
  readonly zoneinfo: string;
}

const style = readFileSync(new URL("./pages.css", import.meta.url), "utf8");

/** A finished page. */
type Page = ReturnType<typeof html>;

function page(title: string, body: Page): Page {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        <main>
          <p class="mark"><span aria-hidden="true"></span>Creator dashboard</p>
          ${body}
        </main>
      </body>
    </html>`;
}

/**
 * Who to be.
 * @param again the creator who is signed in and has to confirm it
 * @param refused an entry that cannot be a creator id, shown again
 */
export function signInPage(of: {
  action: string;
  creators: readonly IssuerCreator[];
  again: string | undefined;
  refused: string | undefined;
}): Page {
  const { action, creators, again, refused } = of;
  const known = creators.find((creator) => creator.creatorId === again);
  return page(
    again === undefined ? "Sign in" : "Confirm it is you",
    html`<h1>${again === undefined ? "Sign in" : "Confirm it is you"}</h1>
      ${
        again === undefined
          ? html`<p class="quiet">This is the development sign-in: choose a creator, no password is asked.</p>`
          : html`<p class="quiet">What you are about to do needs a fresh sign-in.</p>
              <form method="post" action="${action}" class="people">
                ${person(known ?? { creatorId: again, name: again, zoneinfo: "" }, "Continue as ")}
              </form>
              <h2>Or as somebody else</h2>`
      }
      <form method="post" action="${action}" class="people">
        ${creators.filter((creator) => creator.creatorId !== again).map((creator) => person(creator, ""))}
      </form>
      <form method="post" action="${action}" class="other">
        <label for="creator-id">Another creator's id</label>
        <div>
          <input
            id="creator-id"
            name="creatorId"
            value="${refused ?? ""}"
            required
            maxlength="128"
            autocomplete="off"
            autocapitalize="none"
            spellcheck="false"
            placeholder="crt_0042"
            ${refused === undefined ? "" : raw('aria-invalid="true" aria-describedby="refused"')}
          />
          <button>Sign in</button>
        </div>
        ${
          refused === undefined
            ? ""
            : html`<p id="refused" class="bad" role="alert">An id has 1 to 128 letters, digits and _ . : - only.</p>`
        }
      </form>`,
  );
}

function person({ creatorId, name, zoneinfo }: IssuerCreator, prefix: string): Page {
  const initials = name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word.slice(0, 1).toUpperCase())
    .join("");
  return html`<button name="creatorId" value="${creatorId}">
    <span class="face" aria-hidden="true">${initials}</span>
    <span><strong>${prefix}${name}</strong><small>${[creatorId, zoneinfo].filter(Boolean).join(" · ")}</small></span>
  </button>`;
}

/**
 * Leaving.
 * @param form the provider's own, with its token against forgery
 * @param isAsked false when the person has said so at the dashboard already: the form then sends itself
 */
export function signOutPage(form: string, isAsked: boolean): Page {
  return page(
    "Sign out",
    html`<h1>Sign out?</h1>
      <p class="quiet">You will have to choose a creator again to see a dashboard.</p>
      ${raw(form)}
      <p class="choice">
        <button form="op.logoutForm" name="logout" value="yes" autofocus>Sign out</button>
        <button form="op.logoutForm" class="plain">Stay signed in</button>
      </p>
      ${
        isAsked
          ? ""
          : raw(`<script>
            const form = document.forms[0];
            form.insertAdjacentHTML("beforeend", '<input type="hidden" name="logout" value="yes"/>');
            form.submit();
          </script>`)
      }`,
  );
}

/** A plain statement, for everything else. */
export function noticePage(title: string, text: string): Page {
  return page(
    title,
    html`<h1>${title}</h1>
      <p class="quiet">${text}</p>`,
  );
}
