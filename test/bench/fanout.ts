// `npm run bench:fanout`: one hub with 50 and with 2,000 sockets, beside a bare Durable Object that sends frames of the
// same length to as many; rounds alternate. Then a thousand connections are cut and come back. The last line is JSON.
import { setTimeout as sleep } from "node:timers/promises";
import { type Hub, startBareHub, startProductHub } from "./fanout-hubs.ts";
import { SocketCrowd } from "./fanout-sockets.ts";
import { quantile, rounded } from "./quantiles.ts";

const FEW = 50;
const MANY = 2_000;
/** BENCH_ROUNDS, for a quick look, asks for fewer. */
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 100);
/** The first rounds warm both up. */
const WARM_UP_ROUNDS = 10;
/** How long both only hold their sockets, to know what they take without a frame. */
const IDLE_MS = 10_000;
/** A hub sends at most a frame in 250 ms; what comes sooner would wait, so that nobody's turn comes sooner. */
const PAUSE_MS = 270;
const DROPS = 1_000;
/** Connections that come back at once, after one cut. */
const DROPPED_AT_ONCE = 5;
/** Drops between two changes of the numbers. */
const DROPS_PER_STATE = 50;

const say = (line: string) => process.stderr.write(`${line}\n`);

/** What one contender took in one stage. */
interface Outcome {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicrosPerDelivery: number;
}

let sent = 0;
let frameBytes = 400;
const product = await startProductHub();
const bare = await startBareHub(() => frameBytes);

/** Rounds that alternate between the two hubs. */
async function race(name: string, productCrowd: SocketCrowd, bareCrowd: SocketCrowd) {
  const contenders = [
    { hub: product, crowd: productCrowd, spans: [] as number[], cpu: 0 },
    { hub: bare, crowd: bareCrowd, spans: [] as number[], cpu: 0 },
  ];
  const idle = await idleCpu();
  let clientCpu = process.cpuUsage();
  let started = performance.now();
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    if (round === WARM_UP_ROUNDS) {
      contenders.forEach((contender) => {
        contender.spans = [];
        contender.cpu = contender.hub.cpuSeconds();
      });
      clientCpu = process.cpuUsage();
      started = performance.now();
    }
    sent++;
    // Neither always follows the other.
    for (const { hub, crowd, spans } of round % 2 === 0 ? contenders : contenders.toReversed()) {
      spans.push(await crowd.makespan(hub.mark(sent), () => hub.send(name, sent)));
    }
    ({ frameBytes } = productCrowd);
    await sleep(PAUSE_MS);
  }
  const { user, system } = process.cpuUsage(clientCpu);
  const clientShare = (user + system) / 1_000 / (performance.now() - started);
  const [ours, floor] = contenders.map(({ hub, crowd, spans, cpu }): Outcome => {
    const samples = Float64Array.from(spans);
    return {
      p50Ms: rounded(quantile(samples, 0.5)),
      p99Ms: rounded(quantile(samples, 0.99)),
      cpuMicrosPerDelivery: rounded(((hub.cpuSeconds() - cpu) / (ROUNDS * crowd.size)) * 1e6),
    };
  });
  if (ours === undefined || floor === undefined) {
    throw new Error("a contender is missing");
  }
  say(
    `${productCrowd.size} sockets, ${ROUNDS} rounds, frames of ${frameBytes} bytes; client ${percent(clientShare)} busy`,
  );
  say(`  product  ${described(ours)}`);
  say(`  bare     ${described(floor)}`);
  say(`  without frames: product ${rounded(idle.product)} ms of CPU a second, bare ${rounded(idle.bare)}`);
  return { ours, floor };
}

/** Milliseconds of CPU a second without frames: leases, the reader's reports and time-outs are no work of a delivery. */
async function idleCpu() {
  const before = { product: product.cpuSeconds(), bare: bare.cpuSeconds() };
  await sleep(IDLE_MS);
  const perSecond = (seconds: number) => (seconds * 1e6) / IDLE_MS;
  return {
    product: perSecond(product.cpuSeconds() - before.product),
    bare: perSecond(bare.cpuSeconds() - before.bare),
  };
}

const percent = (share: number) => `${Math.round(share * 100)} %`;
const described = ({ p50Ms, p99Ms, cpuMicrosPerDelivery }: Outcome) =>
  `p50 ${p50Ms} ms, p99 ${p99Ms} ms, CPU ${cpuMicrosPerDelivery} µs a delivery`;

async function crowdsOf(name: string, size: number): Promise<[SocketCrowd, SocketCrowd]> {
  const crowds: [SocketCrowd, SocketCrowd] = [await crowdOf(product, name), await crowdOf(bare, name)];
  for (const crowd of crowds) {
    await crowd.fill(size);
  }
  return crowds;
}

const crowdOf = async (hub: Hub, name: string) => new SocketCrowd(await hub.target(name));

/** Cuts random connections; each that comes back must be shown the newest state at once. */
async function drop(name: string, crowd: SocketCrowd) {
  const random = randomOf(1);
  const times: number[] = [];
  let wrong = 0;
  while (times.length < DROPS) {
    if (times.length % DROPS_PER_STATE === 0) {
      sent++;
      await Promise.all([sleep(PAUSE_MS), crowd.makespan(product.mark(sent), () => product.send(name, sent))]);
    }
    const places = new Set<number>();
    while (places.size < DROPPED_AT_ONCE) {
      places.add(Math.floor(random() * crowd.size));
    }
    const returned = await Promise.all([...places].map((place) => crowd.replace(place)));
    times.push(...returned.map(({ ms }) => ms));
    wrong += returned.filter(({ snapshot }) => !snapshot.includes(product.mark(sent))).length;
  }
  const samples = Float64Array.from(times);
  return { p50Ms: rounded(quantile(samples, 0.5)), p99Ms: rounded(quantile(samples, 0.99)), wrong };
}

/** mulberry32, of https://github.com/bryc/code/blob/master/jshash/PRNGs.md: the same places every time. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const few = await crowdsOf("crt_bench_few", FEW);
const small = await race("crt_bench_few", ...few);
few.forEach((crowd) => crowd.close());

const many = await crowdsOf("crt_bench_many", MANY);
const large = await race("crt_bench_many", ...many);
const drops = await drop("crt_bench_many", many[0]);
say(`${DROPS} drops: snapshot p50 ${drops.p50Ms} ms, p99 ${drops.p99Ms} ms (aim 100), ${drops.wrong} not the newest`);
say(`requests to the databases: ${product.databaseRequests()}`);
many.forEach((crowd) => crowd.close());

process.exitCode = drops.wrong === 0 && product.databaseRequests() === 0 ? 0 : 1;
await Promise.all([product.stop(), bare.stop()]);
const ratio = (ours: number, floor: number) => Math.round((ours / floor) * 1_000) / 1_000;
say(
  `CPU a delivery, product to bare, with ${FEW} sockets: ${ratio(small.ours.cpuMicrosPerDelivery, small.floor.cpuMicrosPerDelivery)}`,
);
const result = {
  bench: "fanout",
  cpuRatioToBare: ratio(large.ours.cpuMicrosPerDelivery, large.floor.cpuMicrosPerDelivery),
  p99Ms50: small.ours.p99Ms,
  p99Ms2000: large.ours.p99Ms,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
