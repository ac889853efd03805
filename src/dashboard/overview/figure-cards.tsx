// The totals of the range. Choosing one draws it below.
import { Icon } from "../page/icon.tsx";
import { Unknown } from "../page/unknown.tsx";
import type { Overview } from "../service/overview.ts";
import { figures, type Figure } from "./figures.ts";

interface FigureCardsProps {
  /** Null while nothing is known yet. */
  totals: Overview["totals"] | null;
  /** Why nothing is known. */
  reason: string;
  chosen: Figure;
  onChoose: (figure: Figure) => void;
}

/** One button per figure; the chosen one is pressed. */
export function FigureCards({ totals, reason, chosen, onChoose }: FigureCardsProps) {
  return (
    <div class="figures" role="group" aria-label="Totals; choose one to draw it">
      {figures.map((figure) => {
        const total = totals && figure.total(totals);
        const note = totals && figure.note(totals);
        return (
          <button
            key={figure.key}
            type="button"
            class="figure"
            aria-pressed={figure.key === chosen.key}
            onClick={() => onChoose(figure)}
          >
            <span class="figure-label">
              <Icon name={figure.icon} />
              {figure.label}
            </span>
            <span class="figure-value">
              {total === null ? (
                <Unknown reason={totals ? `${figure.label} are not known for this range.` : reason} />
              ) : (
                figure.write(total)
              )}
            </span>
            <span class="figure-note quiet small">{note ?? ""}</span>
          </button>
        );
      })}
    </div>
  );
}
