// Titles of the creator's newest items, for the live panel: frames carry ids only.
import { list, nullable, object, text } from "../live-client/shape.ts";
import type { Session } from "../session/session.ts";
import { get } from "./request.ts";

const pageShape = object({ items: list(object({ contentId: text(), title: nullable(text()) }), 100) });

/** Titles by content id, of the 50 items published last: what is live was published lately. */
export async function getTitles(session: Session, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const { items } = await get(session, "content?sort=-publishedAt&limit=50", pageShape, signal);
  return new Map(items.flatMap(({ contentId, title }) => (title === null ? [] : [[contentId, title] as const])));
}
