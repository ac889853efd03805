// One half of the seeds: two files, so that two workers share them.
import { expect, it } from "vitest";
import { failuresAmong } from "./many-seeds.ts";

it("shows on every dashboard what the logs say, whatever goes wrong on the way (seeds 1001 to 2000)", async () => {
  expect(await failuresAmong(1001, 1000)).toEqual([]);
});
