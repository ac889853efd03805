// The page's entry.
import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/live.css";
import "./styles/overview.css";
import { App } from "./page/app.tsx";

const place = document.querySelector("#app");
if (place) {
  place.replaceChildren();
  render(<App />, place);
}
