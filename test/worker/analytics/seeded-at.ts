/** The instant that the seed is loaded for, and that the routes under test live in. */
export const SEEDED_AT = Date.parse("2026-11-24T20:30:00Z");
