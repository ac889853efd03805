// What a visitor sees who is not signed in.
import { useState } from "preact/hooks";
import type { Session } from "../session/session.ts";
import { Trouble } from "./trouble.tsx";

/** `error`: a sign-in that has just failed; null otherwise. */
export function SignIn({ session, error }: { session: Session; error: unknown }) {
  const [failure, setFailure] = useState<unknown>(error);
  const [leaving, setLeaving] = useState(false);
  const signIn = () => {
    setLeaving(true);
    session.signIn().catch((reason: unknown) => {
      setFailure(reason);
      setLeaving(false);
    });
  };
  return (
    <main class="centred">
      <div class="welcome">
        <span class="mark mark-large" aria-hidden="true" />
        <h1>Creator Dashboard</h1>
        <p>
          Who is watching right now, and how your work did over time. Every number says when it was true, and one that
          is not known is never shown as zero.
        </p>
        {failure === null || failure === undefined ? (
          <button type="button" class="button button-main" disabled={leaving} onClick={signIn}>
            {leaving ? "Opening the sign-in …" : "Sign in"}
          </button>
        ) : (
          <Trouble error={failure} retry={signIn} />
        )}
      </div>
    </main>
  );
}
