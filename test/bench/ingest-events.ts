// The events of the ingest benchmark: a million records, deterministic, one watched creator among a thousand, with the
// counts they must lead to. A producer's duplicates and garbage are in, since the product must cope with them at speed.

/** How many records the log is filled with. */
export const INGEST_RECORDS = 1_000_000;
/** The creator whose dashboard is open: one event in twenty is theirs. */
export const WATCHED = "crt_bench_watched";
const CREATORS = 1_000;
/** Each session sends ten events: a view, beats, now and then a like. */
const SESSIONS = 100_000;
const BEAT_MS = 15_000;
const BEAT_SECONDS = 15;
/** One record in so many repeats the one before it, as a producer does that got no answer. */
const REPEAT_EVERY = 1_000;
/** One record in so many is no event at all. */
const GARBAGE_EVERY = 5_000;

/** The time the events span, ms. */
export const INGEST_SPAN_MS = (INGEST_RECORDS / SESSIONS) * BEAT_MS;

/** One record: its key, its value, and its timestamp in ms. */
export interface IngestRecord {
  readonly key: string;
  readonly value: string;
  readonly timestamp: number;
}

/** What the watched creator's totals must be in the end. */
export interface IngestTotals {
  readonly views: number;
  readonly likes: number;
  readonly watchSeconds: number;
}

const creatorOf = (session: number) => (session % 20 === 0 ? WATCHED : `crt_bench_${session % CREATORS}`);
const isRepeat = (index: number) => index % REPEAT_EVERY === REPEAT_EVERY - 1;
const isGarbage = (index: number) => index % GARBAGE_EVERY === GARBAGE_EVERY / 2;

function typeOf(session: number, beat: number): "view.started" | "like.added" | "view.heartbeat" {
  if (beat === 0) {
    return "view.started";
  }
  return beat === 5 && session % 7 === 0 ? "like.added" : "view.heartbeat";
}

/** The record at a position, 0 to {@link INGEST_RECORDS} - 1. `baseMs` is the instant of the first event. */
export function ingestRecord(index: number, baseMs: number): IngestRecord {
  const timestamp = baseMs + Math.floor((index * BEAT_MS) / SESSIONS);
  if (isGarbage(index)) {
    return { key: creatorOf(index), value: '{"eventId":"cut off in the midd', timestamp };
  }
  const told = isRepeat(index) ? index - 1 : index;
  const session = told % SESSIONS;
  const beat = Math.floor(told / SESSIONS);
  const creator = creatorOf(session);
  const type = typeOf(session, beat);
  const occurredAt = new Date(baseMs + Math.floor((told * BEAT_MS) / SESSIONS)).toISOString();
  const watched = type === "view.heartbeat" ? `"watchSeconds":${BEAT_SECONDS},` : "";
  const value =
    `{"eventId":"evt_${told.toString(36).padStart(8, "0")}","type":"${type}","contentId":"${creator}_v${session % 3}",` +
    `"creatorId":"${creator}","sessionId":"ses_${session.toString(36).padStart(8, "0")}",` +
    `"occurredAt":"${occurredAt}",${watched}"country":"NG","device":"mobile","isLive":false}`;
  return { key: creator, value, timestamp };
}

/** What the watched creator's totals must be in the end, counted from how the records were made. */
export function ingestExpected(): IngestTotals {
  const totals = { views: 0, likes: 0, watchSeconds: 0 };
  for (let index = 0; index < INGEST_RECORDS; index++) {
    const session = index % SESSIONS;
    if (!isRepeat(index) && !isGarbage(index) && creatorOf(session) === WATCHED) {
      const type = typeOf(session, Math.floor(index / SESSIONS));
      totals.views += type === "view.started" ? 1 : 0;
      totals.likes += type === "like.added" ? 1 : 0;
      totals.watchSeconds += type === "view.heartbeat" ? BEAT_SECONDS : 0;
    }
  }
  return totals;
}

/** True when totals that a socket showed are the final ones. */
export function isFinal(shown: { readonly [Name in keyof IngestTotals]: number | null }, final: IngestTotals): boolean {
  return shown.views === final.views && shown.likes === final.likes && shown.watchSeconds === final.watchSeconds;
}
