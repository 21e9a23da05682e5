/** The HTML that all dashboards share: a script, a style sheet, no user content. */
export interface Page {
  title: string;
  /** `webview.cspSource` */
  cspSource: string;
  /** Cryptographically random. */
  nonce: string;
  script: string;
  style: string;
}

/** Scripts only with the nonce; styles from the bundle, or with the nonce, which the toolkit's style elements have. */
const contentSecurityPolicy = (cspSource: string, nonce: string): string =>
  [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource} 'nonce-${nonce}'`,
    `font-src ${cspSource}`,
    `img-src ${cspSource} data:`,
  ].join('; ');

export const panelHtml = ({ title, cspSource, nonce, script, style }: Page): string => `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy(cspSource, nonce)}" />
    <meta property="csp-nonce" content="${nonce}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    <link rel="stylesheet" href="${style}" />
  </head>
  <body>
    <script nonce="${nonce}" src="${script}"></script>
  </body>
</html>
`;
