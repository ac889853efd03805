// The page's own icons, drawn from the sheet that the build puts into the document.

/** Names of the files in src/dashboard/icons. */
export type IconName =
  | "views"
  | "watch-time"
  | "likes"
  | "shares"
  | "completions"
  | "subscribers"
  | "revenue"
  | "sign-out"
  | "trouble"
  | "notice";

/** A picture beside words that say the same. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" aria-hidden="true" focusable="false">
      <use href={`#icon-${name}`} />
    </svg>
  );
}
