// The local issuer as a process: PORT, DATA_FOLDER, and the page's origins in DASHBOARD_ORIGINS, separated by commas.
import { requiredVariable, runUntilStopped } from "../run-until-stopped.ts";
import { startIssuer } from "./issuer.ts";

await runUntilStopped("The issuer", () =>
  startIssuer({
    port: Number(requiredVariable("PORT")),
    dataFolder: requiredVariable("DATA_FOLDER"),
    dashboardOrigins: requiredVariable("DASHBOARD_ORIGINS").split(","),
  }),
);
