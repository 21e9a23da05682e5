/** A JSON value as YAML, for people: `kubectl` reads both. Keys are those of Kubernetes' objects and of our labels. */
export const yamlText = (value: object): string => `${lines(value).join('\n')}\n`;

function lines(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => nested('- ', lines(one)));
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, one]) => (one === undefined ? [] : entry(plain(key), one)));
  return [scalar(value)];
}

function entry(key: string, value: unknown): string[] {
  if (typeof value === 'string' && value.includes('\n')) return block(key, value);
  if (typeof value !== 'object' || value === null) return [`${key}: ${scalar(value)}`];
  const inside = lines(value);
  if (inside.length === 0) return [`${key}: ${Array.isArray(value) ? '[]' : '{}'}`];
  return [`${key}:`, ...inside.map((line) => `  ${line}`)];
}

/** Text of several lines as it is, if it ends with one line break and its first line is not indented. */
function block(key: string, text: string): string[] {
  if (!/^\S/.test(text) || !/[^\n]\n$/.test(text) || /[^\P{C}\n]/u.test(text))
    return [`${key}: ${JSON.stringify(text)}`];
  return [
    `${key}: |`,
    ...text
      .slice(0, -1)
      .split('\n')
      .map((line) => (line ? `  ${line}` : '')),
  ];
}

const nested = (first: string, [head = '{}', ...rest]: string[]): string[] => [
  first + head,
  ...rest.map((line) => (line ? ' '.repeat(first.length) + line : '')),
];

const scalar = (value: unknown): string => (typeof value === 'string' ? plain(value) : JSON.stringify(value));

/** Words that YAML reads as something other than text, and texts that look like numbers, get quotes. */
const plain = (text: string): string =>
  /^[A-Za-z/][\w./-]*$/.test(text) && !/^(?:true|false|yes|no|on|off|null|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text);
