// What the traffic generator may play, and for whom: all it asks of a catalogue.

/** An item that can be watched. */
export interface PlayableItem {
  readonly contentId: string;
  readonly kind: "live" | "video";
  /** Length of a video; a stream's usual length. */
  readonly durationSeconds: number;
}

/** A creator whose items can be watched. */
export interface PlayableCreator {
  readonly creatorId: string;
  /** How much of the audience is theirs, relative to the others. */
  readonly popularity: number;
  /** The subscriber count at the time the traffic begins, where known. */
  readonly subscribers: number | null;
  /** At least one. Earlier ones are more popular. */
  readonly items: readonly PlayableItem[];
}

/** The creators that get an audience. */
export interface Repertoire {
  /** The creator who always has something live. */
  readonly demo: PlayableCreator;
  readonly others: readonly PlayableCreator[];
}
