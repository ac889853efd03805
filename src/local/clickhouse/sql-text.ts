// Just enough of ClickHouse's lexer to see a statement's outline: what kind it is, where an INSERT's data begins, which
// format it asks for, and whether another statement follows. The engine alone decides what the statement means.

/** The outline of a request's SQL. */
export interface StatementOutline {
  /** First word, in capitals; empty when there is no statement. */
  readonly keyword: string;
  /** The format it names, where it names one. */
  readonly format: string | undefined;
  /** Index in the text at which the data of an INSERT begins; undefined when no data belongs to it. */
  readonly dataStart: number | undefined;
  /** Whether more than one statement is there. */
  readonly hasAnother: boolean;
  /** Whether it writes rows, also behind WITH or EXPLAIN. */
  readonly writesRows: boolean;
  /** Whether it writes its result to a file. */
  readonly writesFile: boolean;
}

/**
 * String literals (also heredocs), quoted identifiers, comments: what may hold any character without structure.
 * https://clickhouse.com/docs/sql-reference/syntax
 */
const OPAQUE =
  /'[^'\\]*(?:(?:\\.|'')[^'\\]*)*(?:'|$)|"[^"\\]*(?:(?:\\.|"")[^"\\]*)*(?:"|$)|`[^`\\]*(?:(?:\\.|``)[^`\\]*)*(?:`|$)|(\$\w*\$)[\s\S]*?(?:\1|$)|--[^\n]*|#[ !][^\n]*|\/\*[\s\S]*?(?:\*\/|$)/gs;

/** Reads the outline of `text`. */
export function outlineOf(text: string): StatementOutline {
  const skeleton = skeletonOf(text);
  const keyword = /[A-Za-z(]\w*/.exec(skeleton)?.[0]?.toUpperCase() ?? "";
  const data = keyword === "INSERT" ? insertData(skeleton) : undefined;
  // Data in a format is not SQL: semicolons in it end nothing. VALUES is SQL's own syntax, so they do.
  const statements = data?.format === undefined ? skeleton : skeleton.slice(0, data.start);
  return {
    keyword,
    format: data === undefined ? /\bFORMAT\s+(\w+)(?!.*\bFORMAT\s)/is.exec(skeleton)?.[1] : data.format,
    dataStart: data?.start,
    hasAnother: /;[\s;]*[^\s;]/.test(statements),
    writesRows: /\bINSERT\s+INTO\b/i.test(skeleton),
    writesFile: /\bINTO\s+OUTFILE\b/i.test(skeleton),
  };
}

/** The text with everything opaque and everything in parentheses made blank, index by index. */
function skeletonOf(text: string): string {
  const visible = text.replace(OPAQUE, (opaque) => " ".repeat(opaque.length));
  let depth = 0;
  let skeleton = "";
  for (const character of visible.split("")) {
    if (character === ")") {
      depth = Math.max(0, depth - 1);
    }
    skeleton += depth === 0 ? character : " ";
    if (character === "(") {
      depth += 1;
    }
  }
  return skeleton;
}

/** Where the data of an INSERT begins, unless its rows come from a query. */
function insertData(skeleton: string): { start: number; format: string | undefined } | undefined {
  const found = /\b(?:SELECT|WITH|VALUES|FORMAT\s+(\w+))\b/i.exec(skeleton);
  if (found === null || /^(?:SELECT|WITH)$/i.test(found[0])) {
    return undefined;
  }
  return { start: found.index + found[0].length, format: found[1] };
}
