// Stands in for the API Worker's objects: hubs that remember what they were told, and a watch list that the test fills.
// Plain JavaScript, since an auxiliary Worker of a test is not built.
import { DurableObject } from "cloudflare:workers";

export class CreatorHub extends DurableObject {
  #published = [];
  #rare = [];
  #rareIds = new Set();
  #shares = [];
  #fails = false;

  publish(publish) {
    this.#refuse();
    this.#published.push(publish);
    return { v: 1, outcome: "accepted", held: { epoch: publish.epoch, offset: publish.offset }, intervalMs: 250 };
  }
  applyRare(batch) {
    this.#refuse();
    this.#rare.push(batch);
    const applied = batch.events.filter(({ event }) => !this.#rareIds.has(event.eventId)).length;
    batch.events.forEach(({ event }) => this.#rareIds.add(event.eventId));
    const duplicates = batch.events.length - applied;
    return { v: 1, watermark: batch.events.at(-1).offset + 1, applied, duplicates };
  }
  recordStreamShare(share) {
    this.#refuse();
    this.#shares.push(share);
    return { v: 1 };
  }

  /** For the test. */
  seen() {
    return { published: this.#published, rare: this.#rare, shares: this.#shares };
  }
  setFailing(fails) {
    this.#fails = fails;
  }
  #refuse() {
    if (this.#fails) {
      throw new Error("the hub fails");
    }
  }
}

export class WatchList extends DurableObject {
  #watchers = [];
  #number = 0;
  #expected = [];
  #reports = new Map();

  report(report) {
    this.#reports.set(report.source, report);
    const version = { incarnation: "w1", number: this.#number };
    return { v: 1, version, whole: true, watchers: this.#watchers, left: [] };
  }
  expect({ sources }) {
    this.#expected = sources;
    return { v: 1 };
  }
  status() {
    return { v: 1, watchers: this.#watchers.length };
  }

  /** For the test. */
  watch(creatorIds) {
    this.#watchers = creatorIds.map((creatorId) => ({ creatorId, hubIncarnation: "h1" }));
    this.#number += 1;
  }
  seen() {
    return { expected: this.#expected, reports: Object.fromEntries(this.#reports) };
  }
}

// oxlint-disable-next-line import/no-default-export -- a Worker's entry is its default export
export default {
  fetch: () => new Response("not found", { status: 404 }),
};
