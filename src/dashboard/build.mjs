// Builds the page into static assets: .build/dashboard.
import { mkdirSync, writeFileSync } from "node:fs";

mkdirSync(".build/dashboard", { recursive: true });
writeFileSync(".build/dashboard/index.html", "<!doctype html><title>Creator Dashboard</title>");
