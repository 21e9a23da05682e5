/** What the spans of texts, or their labels, are called. */
export interface FoundWords {
  /** The summary: how many are in the data, found, missed and spurious. */
  told(inData: string, found: string, missed: string, spurious: string): string;
  /** The table's title, what it means by found, and its first column. */
  title: string;
  note: string;
  name: string;
  /** In place of an empty table. */
  none: string;
  /** Below a table with small counts. */
  few: string;
  showAll(count: number): string;
  /** A filter. */
  chip(name: string): string;
}
