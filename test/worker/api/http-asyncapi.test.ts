import { expect, test } from "vitest";
import { serverFrameSchemas } from "../../../src/contract/live-frames.ts";
import { call } from "./http-client.ts";

test("the messages of the socket and of all topics are described where the service is reached", async () => {
  const response = await call("/asyncapi.json");

  expect(response.headers.get("Content-Type")).toMatch(/^application\/json/);
  const document = await response.json<Record<string, Record<string, Record<string, unknown>>>>();
  expect(document["servers"]?.["api"]).toMatchObject({ host: "api.test", protocol: "wss" });
  expect(Object.keys(document["channels"] ?? {})).toEqual([
    "live",
    "engagement",
    "subscription",
    "payment",
    "moderation",
  ]);
  const frames = serverFrameSchemas.map(({ shape }) => shape.type.value);
  expect(Object.keys(document["components"]?.["messages"] ?? {})).toEqual(
    expect.arrayContaining([...frames, "ping", "pong", "receipt", "engagement"]),
  );
});
