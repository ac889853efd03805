// The reference as one page of HTML: no script, no font, no address but this one. Everything that comes from the
// document is escaped by the template.
import { html, raw } from "hono/html";
import type { OpenApiDocument } from "./openapi.ts";

type Content = ReturnType<typeof html>;

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0a7d5c; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 6rem; }
h1 { margin-bottom: .25rem } h2 { margin-top: 3rem; border-bottom: 1px solid var(--line) }
nav ul { list-style: none; padding: 0 } code, pre { font: .875em/1.45 ui-monospace, monospace }
article { border: 1px solid var(--line); border-radius: .5rem; padding: 0 1rem 1rem; margin: 1rem 0; }
article h3 { overflow-wrap: anywhere } .method { color: var(--accent); text-transform: uppercase; }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line) }
pre { background: var(--soft); padding: .75rem; border-radius: .375rem; overflow: auto; max-height: 30rem }
summary { cursor: pointer; padding: .25rem 0 } a { color: var(--accent) }
`;

let policy: Promise<string> | undefined;

/** The page's own Content-Security-Policy: its one style sheet, by hash, and nothing else. */
export function referencePolicy(): Promise<string> {
  policy ??= crypto.subtle.digest("SHA-256", new TextEncoder().encode(STYLE)).then((digest) => {
    const hash = btoa(String.fromCodePoint(...new Uint8Array(digest)));
    return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  });
  return policy;
}

/** The whole page. */
export function referencePage(document: OpenApiDocument): Content {
  const operations = operationsOf(document);
  const byTag = Map.groupBy(operations, ({ operation }) => operation.tags?.[0] ?? "Other");
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${document.info.title}</title>
        ${raw(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <h1>${document.info.title}</h1>
        <p>
          ${document.info.description} The same for programs: <a href="/openapi.json">openapi.json</a>; messages of the
          live socket and of Kafka: <a href="/asyncapi.json">asyncapi.json</a>.
        </p>
        <nav aria-label="Operations">
          <ul>
            ${operations.map(
              ({ method, path, operation }) =>
                html`<li>
                  <a href="#${operation.operationId}"><code>${method.toUpperCase()} ${path}</code></a>
                  ${operation.summary}
                </li>`,
            )}
          </ul>
        </nav>
        <main>
          ${[...byTag].map(
            ([tag, tagged]) =>
              html`<h2>${tag}</h2>
                ${tagged.map(article)}`,
          )}
          <h2>Schemas</h2>
          ${Object.entries(document.components?.schemas ?? {}).map(
            ([name, schema]) =>
              html`<details id="schema-${name}">
                <summary>${name}</summary>
                ${json(schema)}
              </details>`,
          )}
        </main>
      </body>
    </html>`;
}

type Operation = NonNullable<NonNullable<OpenApiDocument["paths"]>[string]["get"]>;
interface Listed {
  method: "get" | "put";
  path: string;
  operation: Operation;
}

function operationsOf(document: OpenApiDocument): Listed[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    (["get", "put"] as const).flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method, path, operation }];
    }),
  );
}

function article({ method, path, operation }: Listed): Content {
  const body = operation.requestBody;
  return html`<article id="${operation.operationId}">
    <h3>
      <code><span class="method">${method}</span> ${path}</code>
    </h3>
    <p>${operation.summary}${operation.security ? " · needs a creator's token" : ""}</p>
    ${operation.description === undefined ? "" : html`<p>${operation.description}</p>`} ${parameters(operation)}
    ${
      body === undefined
        ? ""
        : html`<details>
            <summary>Body</summary>
            ${json(body)}
          </details>`
    }
    ${Object.entries(operation.responses ?? {}).map(([status, response]) => {
      const { description = "", ...rest } = response as { description?: string };
      return html`<details>
        <summary><code>${status}</code> ${description}</summary>
        ${json(rest)}
      </details>`;
    })}
  </article>`;
}

function parameters(operation: Operation): Content | string {
  const listed = (operation.parameters ?? []).flatMap((parameter) => ("name" in parameter ? [parameter] : []));
  if (listed.length === 0) {
    return "";
  }
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Parameter</th>
        <th scope="col">In</th>
        <th scope="col">Meaning</th>
      </tr>
    </thead>
    <tbody>
      ${listed.map(
        ({ name, in: place, description, schema }) =>
          html`<tr>
            <td><code>${name}</code></td>
            <td>${place}</td>
            <td>
              ${description}
              <details>
                <summary>Schema</summary>
                ${json(schema)}
              </details>
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function json(value: unknown): Content {
  return html`<pre><code>${JSON.stringify(value, null, 2)}</code></pre>`;
}
