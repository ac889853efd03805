// From nothing to a page: the configuration, a sign-in that has just come back, then the one or the other view.
import { useEffect, useState } from "preact/hooks";
import { readConfig, type Config } from "../session/config.ts";
import { Session } from "../session/session.ts";
import { Dashboard } from "./dashboard.tsx";
import { SignIn } from "./sign-in.tsx";
import { Trouble } from "./trouble.tsx";

type View =
  | { name: "opening" }
  | { name: "failed"; error: unknown }
  | { name: "signed-out"; session: Session; error: unknown }
  | { name: "signed-in"; config: Config; session: Session };

async function open(): Promise<View> {
  try {
    const config = await readConfig();
    const session = new Session(config);
    const error = await session.takeUp().then(
      () => null,
      (reason: unknown) => reason,
    );
    return session.signedIn ? { name: "signed-in", config, session } : { name: "signed-out", session, error };
  } catch (error) {
    return { name: "failed", error };
  }
}

/** The whole page. */
export function App() {
  const [view, setView] = useState<View>({ name: "opening" });
  useEffect(() => {
    if (view.name === "opening") {
      void open().then(setView);
    }
    if (view.name === "signed-in") {
      const { session } = view;
      return session.whenOver(() => setView({ name: "signed-out", session, error: null }));
    }
    return undefined;
  }, [view]);

  switch (view.name) {
    case "opening":
      return (
        <main class="centred">
          <h1 class="quiet">Opening the dashboard …</h1>
        </main>
      );
    case "failed":
      return (
        <main class="centred">
          <div class="welcome">
            <h1>Creator Dashboard</h1>
            <Trouble error={view.error} retry={() => setView({ name: "opening" })} />
          </div>
        </main>
      );
    case "signed-out":
      return <SignIn session={view.session} error={view.error} />;
    case "signed-in":
      return <Dashboard config={view.config} session={view.session} />;
    default:
      return view satisfies never;
  }
}
