// `npm run bench:ingest`: a prefilled log of a million events through bridge, reader and hub to an open socket, beside a
// bare loop and a plain server. Rounds alternate, medians are compared. The last line is JSON.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INGEST_RECORDS, ingestExpected } from "./ingest-events.ts";
import { startIngestLog } from "./ingest-log.ts";
import { type ProductRun, type Run, runBareLoop, runPlainServer, runProduct } from "./ingest-runs.ts";
import { quantile } from "./quantiles.ts";

/** BENCH_ROUNDS, for a quick look, asks for fewer. */
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 3);
/** What a hub may be called by one source, a second. */
const MOST_HUB_CALLS_PER_SECOND = 5;

const say = (line: string) => process.stderr.write(`${line}\n`);
const median = (values: readonly number[]) => quantile(Float64Array.from(values), 0.5);
const rate = ({ seconds }: Run) => INGEST_RECORDS / seconds;
const perSecond = (events: number) => `${Math.round(events).toLocaleString("en")}/s`;
const described = (run: Run) =>
  `${perSecond(rate(run))} in ${run.seconds.toFixed(2)} s, CPU ${run.cpuSeconds.toFixed(2)} s`;

const final = ingestExpected();
const folder = mkdtempSync(join(tmpdir(), "creator-dashboard-bench-"));
say(`Filling a log of ${INGEST_RECORDS.toLocaleString("en")} records …`);
const log = await startIngestLog(folder);

const rounds: { bare: Run; plain: Run; product: ProductRun }[] = [];
try {
  for (let round = 1; round <= ROUNDS; round++) {
    const bare = await runBareLoop(final);
    const plain = await runPlainServer(log, final);
    const product = await runProduct(log, final);
    rounds.push({ bare, plain, product });
    say(`round ${round}`);
    say(`  bare loop     ${described(bare)}`);
    say(`  plain server  ${described(plain)}`);
    say(`  product       ${described(product)}, bridge's CPU ${product.bridgeCpuSeconds.toFixed(2)} s`);
    say(`                ${product.hubCalls} hub calls, ${product.hubs} hub, ${product.bridgeCalls} bridge calls`);
  }
} finally {
  await log.stop();
  rmSync(folder, { recursive: true, force: true });
}

const exact = rounds.every(({ bare, plain, product }) => bare.exact && plain.exact && product.exact);
// One for the state the reader starts with, and one a started second.
const calledTooOften = rounds.some(
  ({ product: { hubCalls, hubs, seconds } }) =>
    hubCalls > MOST_HUB_CALLS_PER_SECOND * Math.ceil(seconds) + 1 || hubs > 1,
);
if (calledTooOften) {
  say("Hubs were called more often than they may be.");
}
process.exitCode = exact && !calledTooOften ? 0 : 1;
const ratio = (of: (round: (typeof rounds)[number]) => number) => Math.round(median(rounds.map(of)) * 1_000) / 1_000;
const result = {
  bench: "ingest",
  eventsPerSecond: Math.round(median(rounds.map(({ product }) => rate(product)))),
  ratioToBareLoop: ratio(({ bare, product }) => rate(product) / rate(bare)),
  ratioToPlainServer: ratio(({ plain, product }) => rate(product) / rate(plain)),
  exact,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
