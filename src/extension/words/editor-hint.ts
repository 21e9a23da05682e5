/** Next steps in a terminal, and the commands for them in the editor. The programs write for both. */
const STEPS: readonly (readonly [RegExp, string])[] = [
  [/Run `aurora inspect MODEL` for (all|its) module paths/, 'The Models view lists $1 module paths'],
  [/; `aurora inspect` lists (?:its contents|what is in it)/, '; the Models view lists its contents'],
  [/ ?`aurora inspect` lists every such operator\./, ''],
  [/(?:start it again|resume it) with `aurora train --resume[^`]*`/i, 'use Resume'],
  [/resume it with `aurora train --resume`/i, 'use Resume'],
  [/add --accept-changed-inputs/, 'use Resume'],
  [/export (it|this one) with `aurora export[^`]*`/i, 'use Export'],
  [/import the adapter as a run with `aurora import`/i, 'use Import Adapter'],
  [/,? or `aurora gpu install[^`]*` in a terminal/, ''],
  [/; in a terminal, by `aurora errors --again`/, ''],
  [/--device cpu, or the setting aurora\.device/, 'the setting aurora.device'],
  [/: --device cpu\b/, ': the setting aurora.device'],
  [/,? or use --at last/, ''],
  [/ with --(?:at|set|out)\b/, ''],
  [/ \(--out\)/, ''],
  [/, then set HF_TOKEN to a token of your account, or sign in in the editor/, ', then sign in'],
  [/set HF_TOKEN, or sign in in the editor/, 'sign in'],
  [
    /"http\.proxy" in VS Code, or (?:HTTP_PROXY and )?HTTPS_PROXY in a terminal,?/,
    '"http.proxy" in the settings',
  ],
  [/ with --requantize/, ' with new quantization'],
  [/ with --as /, ' as '],
  [/--as /, 'as '],
];

/** A hint in the words of the editor. */
export const editorHint = (hint: string): string =>
  STEPS.reduce((text, [terminal, editor]) => text.replace(terminal, editor), hint).trim();
