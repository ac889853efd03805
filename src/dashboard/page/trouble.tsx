// A failure in human words, with what can be done about it.
import { NoAnswer, Refused, SignedOut } from "../service/request.ts";
import { SignInRefused } from "../session/issuer.ts";
import { Icon } from "./icon.tsx";

interface Words {
  what: string;
  advice: string;
  /** For whoever helps; the service's log knows it. */
  reference: string | null;
}

const known: Readonly<Record<string, [what: string, advice: string]>> = {
  analytics_unavailable: [
    "The analytics are not answering at the moment.",
    "Live numbers, earnings and payouts are not affected. It usually passes within minutes.",
  ],
  storage_unavailable: ["Part of the service is not answering at the moment.", "It usually passes within minutes."],
  rate_limited: ["That was more requests than one account may make.", "Wait a minute, then try again."],
  forbidden: ["This account is not a creator’s.", "Sign in with the account that owns your channel."],
  not_found: ["This no longer exists.", "It may have been removed, or it belongs to another account."],
};

/** What went wrong, for people. */
export function wordsFor(error: unknown): Words {
  if (error instanceof Refused) {
    const { code, title, detail, requestId } = error.problem;
    const [what, advice] = known[code] ?? [`${title}.`, detail];
    return { what, advice, reference: requestId };
  }
  if (error instanceof SignedOut) {
    return { what: "You are signed out.", advice: "Sign in again to go on.", reference: null };
  }
  if (error instanceof SignInRefused) {
    const cancelled = error.message === "access_denied";
    return {
      what: cancelled ? "The sign-in was cancelled." : "The sign-in did not work.",
      advice: "Nothing has changed; you can try again.",
      reference: cancelled ? null : error.message,
    };
  }
  if (error instanceof NoAnswer && !navigator.onLine) {
    return {
      what: "This device is offline.",
      advice: "It goes on by itself when the network is back.",
      reference: null,
    };
  }
  return {
    what: "The service could not be reached.",
    advice: "Check the connection, or try again in a moment.",
    reference: null,
  };
}

/** The failure and a way to try again. */
export function Trouble({ error, retry }: { error: unknown; retry: () => void }) {
  const { what, advice, reference } = wordsFor(error);
  return (
    <div class="trouble" role="alert">
      <Icon name="trouble" />
      <div>
        <p class="trouble-what">{what}</p>
        <p>{advice}</p>
        {reference !== null && <p class="quiet small">Reference: {reference}</p>}
        <button type="button" class="button" onClick={retry}>
          Try again
        </button>
      </div>
    </div>
  );
}
