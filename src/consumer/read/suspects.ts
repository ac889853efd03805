// Finding the record that kills the reader. A reader that died since its last commit says before each batch what it has
// in hand; a batch on which it died three times is taken record by record, and a record on which it died three times is
// set aside. An ordinary restart costs nothing: dying on the very same single record three times is no coincidence.
import type { LogRecord, ReaderStorage, StoredReader, Suspect } from "../ports.ts";

/** So many deaths make a suspect. */
const DEATHS = 3;

/** Some records to be taken at once, or one to be set aside. */
export interface Portion {
  readonly records: readonly LogRecord[];
  readonly isCulprit: boolean;
  /** To be remembered before they are taken; null when nothing is suspected. */
  readonly suspect: Suspect | null;
}

/** Knows what a reader died on. */
export class Suspects {
  readonly #storage: ReaderStorage;
  /** True when the reader has died since its last commit. */
  #isWary: boolean;
  #known: Suspect | null;

  constructor(storage: ReaderStorage, stored: StoredReader) {
    this.#storage = storage;
    this.#isWary = stored.starts > 1 || stored.suspect !== null;
    this.#known = stored.suspect;
  }

  /** Notes a death on what was in hand. To be called once, when the reader starts. */
  async begin(): Promise<void> {
    const known = this.#known;
    if (known?.inHand === true) {
      await this.#remember({ ...known, deaths: known.deaths + 1, inHand: false });
    } else if (known !== null && !isCulprit(known)) {
      // It died on something else: back to watching every batch.
      this.#known = null;
    }
  }

  /** Cuts a batch into portions: usually one. */
  portions(records: readonly LogRecord[]): Portion[] {
    const known = this.#known;
    if (!this.#isWary || records.length === 0) {
      return [{ records, isCulprit: false, suspect: null }];
    }
    if (known === null) {
      return [this.#watched(records)];
    }
    const before = records.filter(({ offset }) => offset < known.from);
    const within = records.filter(({ offset }) => offset >= known.from && offset < known.to);
    const after = records.filter(({ offset }) => offset >= known.to);
    return [
      // Survived before: what is remembered of the suspect must not be lost for them.
      ...(before.length > 0 ? [{ records: before, isCulprit: false, suspect: null }] : []),
      ...this.#suspected(within, known),
      // Nor must a culprit be forgotten before a commit has passed it.
      ...(after.length > 0
        ? [isCulprit(known) ? { records: after, isCulprit: false, suspect: null } : this.#watched(after)]
        : []),
    ];
  }

  /** Remembers a portion's suspect before it is taken. */
  async take(portion: Portion): Promise<void> {
    if (portion.suspect !== null) {
      await this.#remember(portion.suspect);
    }
  }

  /** Notes that a commit at `offset` succeeded: what lies before it is beyond suspicion. */
  passed(offset: number): void {
    if (this.#known !== null && this.#known.to <= offset) {
      this.#known = null;
    }
    this.#isWary = this.#known !== null;
  }

  #suspected(records: readonly LogRecord[], known: Suspect): Portion[] {
    if (records.length === 0) {
      return [];
    }
    if (known.deaths < DEATHS) {
      return [{ records, isCulprit: false, suspect: { ...known, inHand: true } }];
    }
    return isCulprit(known)
      ? [{ records, isCulprit: true, suspect: null }]
      : records.map((record) => this.#watched([record]));
  }

  #watched(records: readonly LogRecord[]): Portion {
    const from = records[0]?.offset ?? 0;
    const to = (records.at(-1)?.offset ?? from) + 1;
    return { records, isCulprit: false, suspect: { from, to, deaths: 0, inHand: true } };
  }

  async #remember(suspect: Suspect): Promise<void> {
    this.#known = suspect;
    await this.#storage.suspect(suspect);
  }
}

function isCulprit(suspect: Suspect): boolean {
  return suspect.deaths >= DEATHS && suspect.to - suspect.from === 1;
}
