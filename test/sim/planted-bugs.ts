// Mistakes that the simulation must find. Each is put into the product while it is loaded; a place that is not
// there any more is an error, so that no bug is planted in vain.
import { registerHooks } from "node:module";

interface Change {
  /** From the project's root. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** One mistake. */
export interface PlantedBug {
  readonly number: number;
  readonly title: string;
  readonly changes: readonly Change[];
}

/** Before a checkpoint as a whole, half of it is stored: a crash between the two leaves it torn. */
const tornCheckpoint = (half: string): Change => ({
  file: "test/sim/simulated-storage.ts",
  find: "  commit(commit: ReaderCommit): Promise<void> {\n",
  replace: `  async commit(commit: ReaderCommit): Promise<void> {
    const old = this.#disk.checkpoints[0];
    if (old) {
      await this.#transact((disk) => {
        disk.checkpoints = [${half}, ...disk.checkpoints].slice(0, 2);
      });
    }
`,
});

/** The mistakes. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    number: 1,
    title: "a checkpoint stores the offset before the state",
    changes: [tornCheckpoint("{ position: commit.checkpoint.position, slices: old.slices }")],
  },
  {
    number: 2,
    title: "a checkpoint stores the state before the offset",
    changes: [tornCheckpoint("{ position: old.position, slices: commit.checkpoint.slices }")],
  },
  {
    number: 3,
    title: "the filter of recent event ids is not part of the checkpoint",
    changes: [
      {
        file: "src/consumer/checkpoint/fold-codec.ts",
        find: "return RecentEvents.from({ lo, hi, seconds }, limits.recentEvents);",
        replace: "return new RecentEvents(limits.recentEvents);",
      },
    ],
  },
  {
    number: 4,
    title: "the hub takes an older offset of a source",
    changes: [
      {
        file: "src/creator-hub/contributions.ts",
        find: "if (held !== undefined && order < 0) {",
        replace: "if (held !== undefined && order < 0 && contribution.epoch !== held.contribution.epoch) {",
      },
    ],
  },
  {
    number: 5,
    title: "the hub adds a source's totals instead of replacing them",
    changes: [
      {
        file: "src/creator-hub/contributions.ts",
        find: "this.#held.set(contribution.source, { contribution, fresh: true, dirty: true });",
        replace: `const { totals } = contribution;
    const views = totals.views + (held?.contribution.totals.views ?? 0);
    const added = { ...contribution, totals: { ...totals, views } };
    this.#held.set(contribution.source, { contribution: added, fresh: true, dirty: true });`,
      },
    ],
  },
  {
    number: 6,
    title: "a new epoch keeps the old epoch's contribution",
    changes: [
      {
        file: "src/creator-hub/contributions.ts",
        find: "this.#held.set(contribution.source, { contribution, fresh: true, dirty: true });",
        replace: `if (held !== undefined && held.contribution.epoch < contribution.epoch) {
      this.#held.set(\`\${contribution.source}0\` as Source, held);
    }
    this.#held.set(contribution.source, { contribution, fresh: true, dirty: true });`,
      },
    ],
  },
  {
    number: 7,
    title: "the hub keeps an item that a newer publish no longer has",
    changes: [
      {
        file: "src/creator-hub/frame-diff.ts",
        find: ".filter((contentId) => !items.has(contentId))",
        replace: ".filter((contentId) => !items.has(contentId) && items.size === 0)",
      },
    ],
  },
  {
    number: 8,
    title: "a failed hub call does not mark the creator dirty",
    changes: [
      {
        file: "src/consumer/publish/publisher.ts",
        find: "    watched.failures++;\n    watched.isDirty = true;\n",
        replace: "    watched.failures++;\n",
      },
    ],
  },
  {
    number: 9,
    title: "the viewer window is one beat too long",
    changes: [
      {
        file: "src/consumer/fold/session-table.ts",
        find: "export const WINDOW_MS = LIVE_WINDOW_SECONDS * 1_000;",
        replace: "export const WINDOW_MS = (LIVE_WINDOW_SECONDS + 15) * 1_000;",
      },
    ],
  },
  {
    number: 10,
    title: "the watermark of a rare event is stored before its effect",
    changes: [
      {
        file: "src/creator-hub/rare-events.ts",
        find: "  return storage.transaction(() => {\n",
        replace: `  const before = storage.watermark(batch.source);
  const last = batch.events.at(-1);
  if (last !== undefined && batch.epoch >= before.epoch && last.offset >= before.watermark) {
    storage.setWatermark(batch.source, batch.epoch, last.offset + 1);
  }
  return storage.transaction(() => {
`,
      },
      {
        file: "src/creator-hub/rare-events.ts",
        find: "const held = storage.watermark(batch.source);",
        replace: "const held = before;",
      },
    ],
  },
  {
    number: 11,
    title: "a recreated topic is read on from the old offset",
    changes: [
      {
        file: "src/consumer/read/partition-cursor.ts",
        find: 'return { kind: "recreated", bounds };',
        replace: "this.#topicId = bounds.topicId;",
      },
    ],
  },
  {
    number: 12,
    title: "a change of the watch list between two polls is missed",
    changes: [
      {
        file: "src/creator-hub/watchers.ts",
        find: "return number - this.#forgotten;",
        replace: "return Math.max(number - this.#forgotten, this.#log.length - 1);",
      },
    ],
  },
  {
    number: 13,
    title: "a hub that was ahead is called again and again while it does not answer",
    changes: [
      {
        file: "src/consumer/publish/publisher.ts",
        find: "return failures === 0 && behind !== null",
        replace: "return failures >= 0 && behind !== null",
      },
    ],
  },
];

/** Makes every module that is loaded from now on bear the mistake. Throws when it cannot be placed. */
export function plant(number: number): void {
  const bug = plantedBugs.find((planted) => planted.number === number);
  if (!bug) {
    throw new Error(`There is no planted bug ${number}.`);
  }
  registerHooks({
    // A mistake spans modules of the product and the ports that the simulation gives it.
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      const changes = bug.changes.filter(({ file }) => url.endsWith(`/${file}`));
      if (changes.length === 0) {
        return loaded;
      }
      const { source: bytes = "" } = loaded;
      const source = typeof bytes === "string" || bytes === null ? (bytes ?? "") : new TextDecoder().decode(bytes);
      return { ...loaded, source: changes.reduce(apply, source) };
    },
  });
}

function apply(source: string, { file, find, replace }: Change): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new Error(`A planted bug does not fit: ${file} has its place ${parts.length - 1} times: ${find}`);
  }
  return parts.join(replace);
}
