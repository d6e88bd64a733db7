// What other proxies replace where it stands in a text, and Weir sends as it is written.
//
// Asked by lint rules. Only forms and names that those have: a password may hold a dollar, and a finding names what
// it found.

const NGINX = "host|hostname|scheme|https|uri|document_uri|args|is_args|query_string|msec|" +
  "(?:arg|binary|cookie|http|proxy|realip|remote|request|sent_http|server|ssl|time|upstream)_\\w+";

const FORMS: readonly RegExp[] = [
  // nginx: $remote_addr, ${host}, $http_x_canary.
  new RegExp(`\\$(?:\\{(?:${NGINX})\\}|(?:${NGINX})\\b)`),
  // HAProxy: %[src], %[req.hdr(host)].
  /%\[[\w.,()-]+\]/,
  // Envoy: %DOWNSTREAM_REMOTE_ADDRESS%, %REQ(:AUTHORITY)%. Two hexadecimal digits are an escape, whatever follows.
  /%(?![0-9A-F]{2})[A-Z]{2}[A-Z_]+(?:\([\w:.?-]*\))?%/,
  // Caddy: {http.request.host}, {remote_host}.
  /\{(?:uri|scheme|method|remote_(?:host|ip|port)|client_ip|(?:http|header|cookie|env)\.[\w.-]+)\}/,
];

/** The first variable of another proxy in `text`, as it stands there: `$remote_addr`, `%[src]`; null without one. */
export function foreignVariable(text: string): string | null {
  for (const form of FORMS) {
    const found = form.exec(text);
    if (found !== null) return found[0];
  }
  return null;
}
