// The AsyncAPI 3 document: the live socket's messages and the events that the service reads, made from the schemas that
// parse them. Payloads are JSON Schema draft 07, AsyncAPI's own default.
import { z } from "zod";
import {
  defaultTopics,
  engagementEventSchema,
  moderationEventSchema,
  paymentEventSchema,
  subscriptionEventSchema,
  type TopicKind,
} from "../contract/events.ts";
import { receiptSchema, serverFrameSchemas } from "../contract/live-frames.ts";
import { bearerScheme } from "./bearer-scheme.ts";
import { LIVE_SOCKET_PATH } from "./live-socket.ts";

/** A plain JSON document. */
export type AsyncApiDocument = Readonly<Record<string, unknown>>;

type Messages = Readonly<Record<string, object>>;

const topics: Readonly<Record<TopicKind, { schema: z.ZodType; summary: string }>> = {
  engagement: { schema: engagementEventSchema, summary: "What one viewing session did." },
  subscription: { schema: subscriptionEventSchema, summary: "Someone subscribed or left." },
  payment: { schema: paymentEventSchema, summary: "Money that moved, in integers of minor units." },
  moderation: { schema: moderationEventSchema, summary: "What the platform decided about an item." },
};

/**
 * Describes the socket and the topics.
 * @param api where this service is reached: `host`, with its port unless that is the protocol's own
 */
export function describeMessages(api: { readonly host: string; readonly protocol: "ws" | "wss" }): AsyncApiDocument {
  const fromService = frameMessages();
  const fromClient = clientMessages();
  const events = eventMessages();
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Creator dashboard messages",
      version: "1.0.0",
      description:
        "The live socket of a creator's dashboard, and the Kafka topics that its numbers are counted from. Receivers ignore fields and types that they do not know.",
      license: { name: "MIT" },
    },
    defaultContentType: "application/json",
    servers: { api: { ...api, security: [reference("components/securitySchemes/bearer")] } },
    channels: {
      live: {
        address: LIVE_SOCKET_PATH,
        servers: [reference("servers/api")],
        description:
          "Subprotocol `creator-live.v1`: `welcome`, then a `snapshot`, then what changed. `seq` rises within an `epoch`; a new epoch begins with a new snapshot. Browsers offer the token as the subprotocol `bearer.<token>`. Closed with 4400 after a message that is not understood, 4401 when the token expires, 4403 when the account is no creator's any more, 4408 without a ping, 4429 when too many are open, 1012 at a restart, 1013 with too much unread.",
        messages: references("components/messages", Object.keys({ ...fromService, ...fromClient })),
        bindings: {
          ws: {
            method: "GET",
            query: {
              type: "object",
              properties: {
                since: { type: "string", description: "The last alert seen: later ones are sent again." },
              },
            },
            bindingVersion: "0.1.0",
          },
        },
      },
      ...Object.fromEntries(
        kinds().map((kind) => [
          kind,
          {
            address: defaultTopics[kind],
            description: `${topics[kind].summary} The topic has this name unless the operator configured another.`,
            messages: references("components/messages", [kind]),
            bindings: { kafka: { topic: defaultTopics[kind], bindingVersion: "0.5.0" } },
          },
        ]),
      ),
    },
    operations: {
      tellDashboard: operation("send", "live", Object.keys(fromService)),
      hearDashboard: operation("receive", "live", Object.keys(fromClient)),
      ...Object.fromEntries(
        kinds().map((kind) => [
          `count${kind.slice(0, 1).toUpperCase()}${kind.slice(1)}`,
          operation("receive", kind, [kind]),
        ]),
      ),
    },
    components: { messages: { ...fromService, ...fromClient, ...events }, securitySchemes: { bearer: bearerScheme } },
  };
}

function frameMessages(): Messages {
  const frames = serverFrameSchemas.map((schema) => [
    schema.shape.type.value,
    { name: schema.shape.type.value, summary: schema.meta()?.description, payload: jsonSchema(schema) },
  ]);
  return { ...Object.fromEntries(frames), pong: textMessage("pong", "The answer to `ping`.") };
}

function clientMessages(): Messages {
  return {
    ping: textMessage("ping", "Says every `pingIntervalSeconds` of the `welcome` that the client is there."),
    receipt: {
      name: "receipt",
      summary: receiptSchema.meta()?.description,
      payload: jsonSchema(receiptSchema),
    },
  };
}

function eventMessages(): Messages {
  return Object.fromEntries(
    kinds().map((kind) => [
      kind,
      {
        name: kind,
        summary: topics[kind].summary,
        payload: jsonSchema(topics[kind].schema),
        bindings: { kafka: { key: { type: "string", description: "The creatorId." }, bindingVersion: "0.5.0" } },
      },
    ]),
  );
}

function textMessage(text: string, summary: string): object {
  return { name: text, summary, contentType: "text/plain", payload: { type: "string", const: text } };
}

function operation(action: "send" | "receive", channel: string, messages: readonly string[]): object {
  return {
    action,
    channel: reference(`channels/${channel}`),
    messages: Object.values(references(`channels/${channel}/messages`, messages)),
  };
}

function kinds(): TopicKind[] {
  // A record that has exactly these keys.
  return Object.keys(topics) as TopicKind[];
}

function references(place: string, names: readonly string[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, reference(`${place}/${name}`)]));
}

function reference(place: string): { $ref: string } {
  return { $ref: `#/${place}` };
}

/** As a sender sees it: fields that the receiver does not know are allowed. */
function jsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: "draft-7", io: "input" });
  return rest;
}
