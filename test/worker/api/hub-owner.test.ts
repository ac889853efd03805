// A hub that is addressed by its id alone has no name, as whenever another process calls it in development.
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { CreatorId } from "../../../src/contract/ids.ts";
import { hubName, liveRequest } from "../../../src/creator-hub/stubs.ts";
import { item, newCreator, publishOf } from "./hub-client.ts";

const namelessHub = (creatorId: CreatorId) =>
  env.CREATOR_HUB.get(env.CREATOR_HUB.idFromString(env.CREATOR_HUB.idFromName(hubName(creatorId)).toString()));

const upgradeOf = (creatorId: CreatorId) =>
  liveRequest(new Request("https://dashboard.test/ws/creator/live-metrics", { headers: { upgrade: "websocket" } }), {
    creatorId,
    tokenExpiresAt: Math.ceil(Date.now() / 1_000) + 600,
  });

test("a hub without a name belongs to the creator it was first called about, and to nobody else", async () => {
  const creatorId = newCreator();
  const hub = namelessHub(creatorId);

  expect(await hub.publish(publishOf(creatorId, 1, [item("cnt_1")]))).toMatchObject({ outcome: "accepted" });

  const own = await hub.fetch(upgradeOf(creatorId));
  const foreign = await hub.fetch(upgradeOf(newCreator()));
  expect([own.status, foreign.status]).toEqual([101, 403]);
  own.webSocket?.accept();
  own.webSocket?.close();
  await foreign.body?.cancel();
});
