import { expect, test } from "vitest";
import { migrate } from "../../../src/creator-hub/sql-database.ts";
import { memorySql } from "./node-sql.ts";

const first = "CREATE TABLE one (id INTEGER PRIMARY KEY)";
const second = "ALTER TABLE one ADD COLUMN name TEXT";

test("migrations are applied once, in order, and appended ones later", () => {
  const database = memorySql();

  migrate(database, [first]);
  migrate(database, [first, second]);
  migrate(database, [first, second]);
  database.all("INSERT INTO one (id, name) VALUES (1, 'a')");

  expect(database.all("SELECT number FROM migrations").map((row) => row["number"])).toEqual([0, 1]);
});

test("an older deployment works on a newer schema", () => {
  const database = memorySql();
  migrate(database, [first, second]);

  migrate(database, [first]);

  expect(database.all("SELECT COUNT(*) AS count FROM migrations")[0]?.["count"]).toBe(2);
});

test("an edited migration is refused", () => {
  const database = memorySql();
  migrate(database, [first]);

  expect(() => migrate(database, [`${first} `])).toThrow("edited");
});

test("a migration that fails leaves nothing behind and is tried again", () => {
  const database = memorySql();

  expect(() => migrate(database, [first, "CREATE TABLE one (id)"])).toThrow("already exists");
  migrate(database, [first, second]);

  expect(database.all("SELECT COUNT(*) AS count FROM migrations")[0]?.["count"]).toBe(2);
});
