// As much of a browser as a sign-in needs: cookies by path, redirects on one host, forms.

/** Where a navigation ended: a page, or an address on another host that is not opened. */
export interface Visit {
  readonly url: URL;
  readonly status: number;
  readonly body: string;
  readonly location: URL | undefined;
}

/** One browser with its own cookies. */
export class Browser {
  readonly #cookies = new Map<string, { value: string; path: string }>();

  /** Opens an address and follows redirects while they stay on its host. */
  async open(url: URL): Promise<Visit> {
    return this.#visit(url, { method: "GET" });
  }

  /** Sends a form. */
  async post(url: URL, fields: Record<string, string>): Promise<Visit> {
    return this.#visit(url, { method: "POST", body: new URLSearchParams(fields) });
  }

  async #visit(url: URL, init: RequestInit): Promise<Visit> {
    const response = await fetch(url, { ...init, redirect: "manual", headers: { cookie: this.#cookiesFor(url) } });
    this.#keep(response.headers.getSetCookie());
    const body = await response.text();
    const header = response.headers.get("location");
    if (header === null) {
      const form = selfSubmitting(body);
      return form === undefined
        ? { url, status: response.status, body, location: undefined }
        : this.post(new URL(form.action, url), form.fields);
    }
    const location = new URL(header, url);
    return location.host === url.host
      ? this.#visit(location, { method: "GET" })
      : { url, status: response.status, body, location };
  }

  #cookiesFor(url: URL): string {
    return [...this.#cookies]
      .filter(([, { path }]) => url.pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join("; ");
  }

  #keep(headers: readonly string[]): void {
    for (const header of headers) {
      const [pair = "", ...attributes] = header.split(/;\s*/);
      const equals = pair.indexOf("=");
      const name = pair.slice(0, equals);
      const value = pair.slice(equals + 1);
      const attribute = (key: string) =>
        attributes.find((text) => text.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
      const expires = attribute("expires");
      if (value === "" || (expires !== undefined && Date.parse(expires) <= Date.now())) {
        this.#cookies.delete(name);
      } else {
        this.#cookies.set(name, { value, path: attribute("path") ?? "/" });
      }
    }
  }
}

/** The form of a page whose script sends it at once: how the provider ends a session. */
function selfSubmitting(body: string): { action: string; fields: Record<string, string> } | undefined {
  if (!/<script>[^<]*(?:<input[^<]*)?\.submit\(\)/.test(body)) {
    return undefined;
  }
  const action = /<form[^>]* action="([^"]+)"/.exec(body)?.[1];
  const fields = [...body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(
    ([, name = "", value = ""]) => [name, value] as const,
  );
  return action === undefined ? undefined : { action, fields: Object.fromEntries(fields) };
}
