// The hub's Durable Object: parses what comes in, and connects the core to storage, sockets, clock, timers and the
// watch list.
import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../runtime/clock.ts";
import { createLog } from "../runtime/log.ts";
import type { CreatorId } from "../contract/ids.ts";
import { LIVE_PROTOCOL, type StreamSummary } from "../contract/live-frames.ts";
import {
  lastStreamQuerySchema,
  payoutSettingsChangedSchema,
  publishSchema,
  rareBatchSchema,
  sourcesStateSchema,
  streamShareSchema,
  type Ack,
  type LastStreamQuery,
  type PayoutSettingsChanged,
  type Publish,
  type PublishReply,
  type RareBatch,
  type RareReply,
  type SourcesState,
  type StreamShare,
} from "../contract/live-rpc.ts";
import { HibernatingSocket } from "./hibernating-socket.ts";
import { HubCore } from "./hub-core.ts";
import { HubStorage } from "./hub-storage.ts";
import { readIdentity } from "./identity.ts";
import { objectSql } from "./object-sql.ts";
import { parseArgument } from "./rpc-argument.ts";
import { refuse } from "./refusal.ts";
import { creatorOfHub, watchList } from "./stubs.ts";

/** Where `MAX_SOCKETS_PER_CREATOR` is missing or no number. */
const DEFAULT_MAX_SOCKETS = 100;
/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const NORMAL_CLOSURE = 1_000;
const reportedCloseCodes = new Set([1_005, 1_006, 1_015]);

/** One creator's live state and sockets. */
export class CreatorHub extends DurableObject<ApiEnv> {
  readonly #storage: HubStorage;
  #awake: HubCore | null = null;

  constructor(ctx: DurableObjectState, env: ApiEnv) {
    super(ctx, env);
    this.#storage = new HubStorage(objectSql(ctx.storage));
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  /** A source publishes its whole state. */
  publish(call: Publish): PublishReply {
    const argument = parseArgument(publishSchema, call);
    return this.#core(argument.creatorId).publish(argument);
  }

  /** A source delivers rare events. The answer means that they are stored. */
  applyRare(call: RareBatch): RareReply {
    const argument = parseArgument(rareBatchSchema, call);
    return this.#core(argument.creatorId).applyRare(argument);
  }

  /** A source delivers its share of a finished stream. The answer means that it is stored. */
  recordStreamShare(call: StreamShare): Ack {
    const argument = parseArgument(streamShareSchema, call);
    return this.#core(argument.creatorId).recordStreamShare(argument);
  }

  /** The watch list says how the sources fare. */
  sourcesChanged(call: SourcesState): Ack {
    const argument = parseArgument(sourcesStateSchema, call);
    return this.#core(argument.creatorId).sourcesChanged(argument);
  }

  /** The API has saved payout settings. */
  payoutSettingsChanged(call: PayoutSettingsChanged): Ack {
    const argument = parseArgument(payoutSettingsChangedSchema, call);
    return this.#core(argument.creatorId).payoutSettingsChanged(argument);
  }

  /** The summary of an item's last finished stream. */
  lastStream(call: LastStreamQuery): StreamSummary | null {
    const query = parseArgument(lastStreamQuerySchema, call);
    // A hub that has never been called for its creator knows nothing.
    return this.#awake === null && this.#owner() === null ? null : this.#core().lastStream(query);
  }

  /** The upgrade of a live socket, as `liveRequest` prepares it. */
  override fetch(request: Request): Response {
    const identity = readIdentity(request.headers);
    if (identity === null || identity.creatorId !== (this.#owner() ?? identity.creatorId)) {
      return refuse("forbidden", "This socket belongs to another creator.", request);
    }
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return refuse("upgrade_required", "This address speaks WebSocket only.", request);
    }
    const core = this.#core(identity.creatorId);
    if (!core.hasRoom()) {
      return refuse("rate_limited", "Too many dashboards of this creator are open.", request);
    }
    const { 0: client, 1: server } = new WebSocketPair();
    const info = core.describeSocket(identity.tokenExpiresAt * 1_000);
    core.connect(HibernatingSocket.accept(server, info, this.ctx), new URL(request.url).searchParams.get("since"));
    const offered = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
    const headers = offered.includes(LIVE_PROTOCOL) ? { "sec-websocket-protocol": LIVE_PROTOCOL } : undefined;
    return new Response(null, { status: 101, webSocket: client, ...(headers && { headers }) });
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const known = HibernatingSocket.restore(socket, this.ctx);
    if (known !== null) {
      this.#core().receive(known, message);
    }
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#disconnected(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    this.#disconnected(socket, NORMAL_CLOSURE);
  }

  override alarm(): void {
    this.#core().alarm();
  }

  #disconnected(socket: WebSocket, code: number): void {
    const known = HibernatingSocket.restore(socket, this.ctx);
    if (known !== null) {
      // A client waits for the answer to its close. Codes that only a runtime may report cannot be sent.
      known.close(reportedCloseCodes.has(code) ? NORMAL_CLOSURE : code, "");
      this.#core().disconnected(known.info.connectionId);
    }
  }

  /**
   * Built at the first event rather than in the constructor, which must not call other objects.
   * @param caller the creator that a call is about; needed where the object has no name
   */
  #core(caller?: CreatorId): HubCore {
    this.#awake ??= this.#wake(caller);
    return this.#awake;
  }

  /**
   * Whose hub this is; null before the first call about someone. The name says it, but an object that is called across
   * processes, as in development, is addressed by its id alone and remembers who the first call was about.
   */
  #owner(): CreatorId | null {
    const { name } = this.ctx.id;
    return name === undefined ? this.#storage.owner() : creatorOfHub(name);
  }

  #wake(caller: CreatorId | undefined): HubCore {
    const { ctx, env } = this;
    const creatorId = this.#owner() ?? caller;
    if (creatorId === undefined) {
      throw new Error("a hub without a name was called about nobody");
    }
    this.#storage.saveOwner(creatorId);
    const sockets = ctx
      .getWebSockets()
      .flatMap((socket) => HibernatingSocket.restore(socket, ctx) ?? [])
      .filter((socket) => socket.isOpen());
    const maxSockets = Number.parseInt(env.MAX_SOCKETS_PER_CREATOR, 10) || DEFAULT_MAX_SOCKETS;
    return new HubCore(creatorId, sockets, maxSockets, {
      clock: systemClock,
      storage: this.#storage,
      watchList: {
        renew: async (lease) => watchList(env, creatorId).renew(lease),
        release: async (lease) => watchList(env, creatorId).release(lease),
      },
      // Not awaited: the runtime holds answers back until the write is durable, and a failed one resets the object.
      alarm: { set: (atMs) => void ctx.storage.setAlarm(atMs) },
      timers: { after: (ms, run) => void setTimeout(run, ms) },
      log: createLog({ service: "creator-hub", creatorId }),
    });
  }
}
