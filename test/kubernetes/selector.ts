/** A page of a list, as an API server returns it for `limit` and `continue`. */
export function page<T>(items: readonly T[], query: URLSearchParams) {
  const first = Number(query.get('continue') ?? 0);
  const end = first + Number(query.get('limit') ?? items.length);
  return {
    metadata: { resourceVersion: '1', ...(end < items.length && { continue: String(end) }) },
    items: items.slice(first, end),
  };
}

type Labels = Record<string, string | undefined>;

/** A label selector as `kubectl` takes it: `a=b`, `a!=b` and `a in (b,c)`, with commas between them. */
export function selects(selector: string, labels: Labels): boolean {
  if (selector === '') return true;
  return selector.split(/,(?![^(]*\))/).every((part) => {
    const [, key, values] = /^(\S+) in \((.*)\)$/.exec(part) ?? [];
    if (key !== undefined) return values!.split(',').includes(labels[key] ?? '');
    const [, name, operator, value] = /^([^!=]+)(!=|==?)(.*)$/.exec(part)!;
    return (labels[name!] === value) === (operator !== '!=');
  });
}
