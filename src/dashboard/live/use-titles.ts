// Titles for the live panel. Without them the panel works and shows ids: they come from another part of the service.
import { useEffect, useRef, useState } from "preact/hooks";
import { getTitles } from "../service/titles.ts";
import type { Session } from "../session/session.ts";

/** A new stream's title is asked for once it shows up, but never more often than this, ms. Ours. */
const LEAST_INTERVAL_MS = 60_000;

/** Titles by content id; asks again when `contentIds` has one that is unknown. */
export function useTitles(session: Session, contentIds: Iterable<string>): ReadonlyMap<string, string> {
  const [titles, setTitles] = useState<ReadonlyMap<string, string>>(new Map());
  const askedAt = useRef(Number.NEGATIVE_INFINITY);
  const unknown = [...contentIds].filter((contentId) => !titles.has(contentId)).toSorted();
  useEffect(() => {
    if (unknown.length === 0 || performance.now() - askedAt.current < LEAST_INTERVAL_MS) {
      return;
    }
    askedAt.current = performance.now();
    getTitles(session, new AbortController().signal).then(
      (found) => setTitles((before) => new Map([...before, ...found])),
      () => {}, // ids are shown instead
    );
  }, [session, unknown.join()]);
  return titles;
}
