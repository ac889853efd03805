// The overview of one range: loaded, kept fresh, and kept on the screen while a newer one is on its way.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { getOverview, type Overview, type Range } from "../service/overview.ts";
import { SignedOut } from "../service/request.ts";
import type { Session } from "../session/session.ts";

/** The pipeline behind the numbers moves by the hour; five minutes are fresh enough and spare the battery, ms. Ours. */
const REFRESH_MS = 300_000;
/** After a failure, ms. Ours. */
const RETRY_MS = 30_000;
/** However fast payments follow each other, ms: an overview is some 10 kB of a phone's data. Ours. */
const MONEY_INTERVAL_MS = 10_000;

/** What can be shown of a range. `error` beside an `overview` means that it could not be refreshed. */
export interface OverviewState {
  range: Range;
  overview: Overview | null;
  error: unknown;
  loading: boolean;
}

/** Another `version` means that money changed, which the live socket tells; null before it has been heard. */
export function useOverview(session: Session, range: Range, timeZone: string, version: number | null) {
  const [state, setState] = useState<OverviewState>({ range, overview: null, error: null, loading: true });
  const [attempt, setAttempt] = useState(0);
  const refresh = useCallback(() => setAttempt((count) => count + 1), []);
  /** The money that the overview was last asked for, and when that was for the money's sake. */
  const shown = useRef<{ version: number | null; refreshedAt: number }>({ version, refreshedAt: -Infinity });

  useEffect(() => {
    const abort = new AbortController();
    // Another range's numbers must not stand under this one's name.
    setState((before) =>
      before.range === range ? { ...before, loading: true } : { range, overview: null, error: null, loading: true },
    );
    getOverview(session, range, timeZone, abort.signal).then(
      (overview) => setState({ range, overview, error: null, loading: false }),
      (error: unknown) => {
        if (!abort.signal.aborted && !(error instanceof SignedOut)) {
          setState((before) => ({ ...before, error, loading: false }));
        }
      },
    );
    return () => abort.abort();
  }, [session, range, timeZone, attempt]);

  const { loading } = state;
  useEffect(() => {
    if (version === null || loading) {
      // What is on its way is not given up for newer money: payments that follow each other fast would keep it away.
      return undefined;
    }
    // The first version that is heard is the one that the overview was loaded at.
    shown.current.version ??= version;
    if (version === shown.current.version) {
      return undefined;
    }
    const wait = shown.current.refreshedAt + MONEY_INTERVAL_MS - Date.now();
    const timer = setTimeout(
      () => {
        shown.current = { version, refreshedAt: Date.now() };
        refresh();
      },
      Math.min(MONEY_INTERVAL_MS, Math.max(0, wait)),
    );
    return () => clearTimeout(timer);
  }, [version, loading, refresh]);

  const failed = state.error !== null;
  useEffect(() => {
    const timer = setInterval(
      () => {
        if (document.visibilityState === "visible") {
          refresh();
        }
      },
      failed ? RETRY_MS : REFRESH_MS,
    );
    return () => clearInterval(timer);
  }, [refresh, failed]);

  return { ...state, refresh };
}
