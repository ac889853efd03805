// Revenue of the range: each currency by itself, paid, final (yet to be paid) and estimated apart, never added.
import { formatInstant } from "../format/instants.ts";
import { formatMoney } from "../format/money.ts";
import { Icon } from "../page/icon.tsx";
import { Unknown } from "../page/unknown.tsx";
import type { Overview } from "../service/overview.ts";

type Revenue = Overview["totals"]["revenue"];

/** Says by itself when the billing data are not available: the rest of the overview does not depend on them. */
export function RevenueCard({ revenue, timeZone, now }: { revenue: Revenue; timeZone: string; now: number }) {
  const { amounts } = revenue;
  return (
    <section class="card revenue" aria-labelledby="revenue-heading">
      <header class="card-head">
        <h3 id="revenue-heading">
          <Icon name="revenue" />
          Revenue
        </h3>
        {revenue.asOf !== null && (
          <p class="quiet small">
            as of <time dateTime={revenue.asOf}>{formatInstant(revenue.asOf, timeZone, now)}</time>
          </p>
        )}
      </header>
      {amounts === null && (
        <p class="quiet">
          <Unknown reason="Billing data are not available at the moment." /> Billing data are not available at the
          moment; everything else is.
        </p>
      )}
      {amounts?.length === 0 && <p class="quiet">Nothing was earned in this range.</p>}
      {amounts?.map(({ currency, estimatedMinor, finalMinor, paidMinor }) => (
        <dl key={currency} class="amounts">
          <dt>{currency} paid</dt>
          <dd>
            <Amount minor={paidMinor} currency={currency} />
          </dd>
          <dt>{currency} final</dt>
          <dd>
            <Amount minor={finalMinor} currency={currency} />
          </dd>
          <dt>{currency} estimated</dt>
          <dd class="estimated">
            <Amount minor={estimatedMinor} currency={currency} />
          </dd>
        </dl>
      ))}
    </section>
  );
}

function Amount({ minor, currency }: { minor: string; currency: string }) {
  const written = formatMoney(minor, currency);
  return written === null ? <Unknown reason={`This page cannot write amounts in ${currency}.`} /> : <>{written}</>;
}
