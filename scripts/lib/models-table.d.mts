export function modelsTable(
  families: ReadonlyMap<string, object>,
  names: Readonly<Record<string, Readonly<Record<string, string>>>>,
  folders: string[],
): string;
export function withTable(text: string, table: string): string;
