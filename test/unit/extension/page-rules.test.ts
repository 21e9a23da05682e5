import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const sources = (folder: string, ending: RegExp) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file))
    .map((file) => ({ file: join(folder, file), text: readFileSync(join(folder, file), 'utf8') }));

const finds = (files: ReturnType<typeof sources>, what: RegExp) =>
  files.flatMap(({ file, text }) =>
    text.split('\n').flatMap((line, i) => (what.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
  );

describe('the pages', () => {
  const styles = sources('webview', /\.css$/);
  const code = sources('webview', /\.ts$/);

  it('take every color from the theme', () => {
    expect(styles.length).toBeGreaterThan(3);
    const literal =
      /#[0-9a-f]{3,8}\b|\b(rgba?|hsla?|oklch|lab)\(|:\s*(white|black|red|green|blue|gray|grey|orange)\b/i;
    expect(finds(styles, literal)).toEqual([]);
    expect(styles.every(({ text }) => !/var\(--(?!vscode-|series-|width|height)/.test(text))).toBe(true);
  });

  it('set no style attributes and no raw HTML, which the CSP or a name could break', () => {
    expect(code.length).toBeGreaterThan(20);
    expect(finds(code, /\sstyle=|unsafeHTML|unsafeSVG|innerHTML|insertAdjacentHTML/)).toEqual([]);
  });
});

describe('the extension host', () => {
  const code = sources('src/extension', /\.ts$/);

  it('does not keep hidden pages alive', () => {
    expect(finds(code, /retainContextWhenHidden:\s*true/)).toEqual([]);
  });

  it('starts programs with argument lists, never through a shell', () => {
    const all = [
      ...code,
      ...sources('src/executors/local', /^(program|start-trainer|launch-trainer|stop)\.ts$/),
    ];
    expect(finds(all, /\bexec(Sync)?\(\s*[`'"]|shell:\s*(true|['"`])/)).toEqual([]);
    expect(finds(all, /\bspawn\(/).length).toBeGreaterThan(0);
  });
});
