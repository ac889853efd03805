// The events of the ingest benchmark: a million of them, deterministic, one watched creator among a thousand, with the
// counts they must lead to. Producer duplicates and garbage are in, since the product must cope with them at speed.

/** How many records the log is filled with. */
export const INGEST_RECORDS = 1_000_000;
/** The creator whose dashboard is open: one event in twenty is theirs. */
export const WATCHED = "crt_bench_watched";
const CREATORS = 1_000;
/** Each session sends ten events on average: a view, beats, now and then a like. */
const SESSIONS = 100_000;

/** One record: its key and its JSON value. */
export interface IngestRecord {
  readonly key: string;
  readonly value: string;
}

/** The record at a position, 0 to {@link INGEST_RECORDS} - 1. `baseMs` is the instant of the first event. */
export function ingestRecord(index: number, baseMs: number): IngestRecord {
  const session = index % SESSIONS;
  const beat = Math.floor(index / SESSIONS);
  const creator = session % 20 === 0 ? WATCHED : `crt_bench_${session % CREATORS}`;
  const type = beat === 0 ? "view.started" : beat === 5 && session % 7 === 0 ? "like.added" : "view.heartbeat";
  const value =
    `{"eventId":"evt_${index.toString(36).padStart(8, "0")}","type":"${type}","contentId":"${creator}_v${session % 3}",` +
    `"creatorId":"${creator}","sessionId":"ses_${session.toString(36).padStart(8, "0")}",` +
    `"occurredAt":"${new Date(baseMs + beat * 15_000 + (session % 1_000)).toISOString()}",` +
    `"watchSeconds":${beat === 0 ? 0 : 15},"country":"NG","device":"mobile","isLive":false}`;
  return { key: creator, value };
}

/** What the watched creator's totals must be in the end. */
export function ingestExpected(): { views: number; likes: number; watchSeconds: number } {
  let views = 0;
  let likes = 0;
  let watchSeconds = 0;
  for (let session = 0; session < SESSIONS; session += 20) {
    views += 1;
    likes += session % 7 === 0 ? 1 : 0;
    // Beats 1 to 9 carry 15 seconds each, the like among them too.
    watchSeconds += 9 * 15;
  }
  return { views, likes, watchSeconds };
}
