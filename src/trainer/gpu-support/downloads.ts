import { readFile } from 'node:fs/promises';

/** One HTTP request of an install script, as far as it has come. */
export interface Download {
  id: string;
  url: string;
  /** What the script wanted, where a server has sent it elsewhere for that. */
  asked?: string;
  status?: number;
  /** Bytes. */
  received: number;
  /** As the server says; bytes. */
  total?: number;
  ended?: 'whole' | 'broken';
  /** Base64, of what came; and as the publisher states it. */
  sha512?: string;
  stated?: string;
}

/** The downloads in the order they began, each as it was last written. */
export async function readDownloads(file: string): Promise<Download[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const latest = new Map<string, Download>();
  // What follows the last line end is being written.
  for (const line of text.split('\n').slice(0, -1)) {
    const d = JSON.parse(line) as Download;
    latest.set(d.id, d);
  }
  return [...latest.values()];
}

/** What a download is judged as: where a mirror keeps it may have any name, or another package's. */
export const askedUrl = ({ url, asked }: Download): string => asked ?? url;

/** The last part of a URL's path. */
export const fileOf = (url: string): string => new URL(url).pathname.split('/').at(-1) ?? url;

export const megabytes = (bytes: number): string =>
  `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 20 ? 2 : 0)} MB`;
