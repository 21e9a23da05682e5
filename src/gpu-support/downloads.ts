import { readFile } from 'node:fs/promises';

/** The progress of one HTTP request of an install script. */
export interface Download {
  id: string;
  url: string;
  /** The URL that the script requested, if the server redirected it. */
  asked?: string;
  status?: number;
  /** Bytes. */
  received: number;
  /** Bytes, as stated by the server. */
  total?: number;
  ended?: 'whole' | 'broken';
  /** Base64: of the received data, and as the publisher states it. */
  sha512?: string;
  stated?: string;
}

/** The downloads in starting order, each in its latest state. */
export async function readDownloads(file: string): Promise<Download[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const latest = new Map<string, Download>();
  // The text after the last newline is incomplete.
  for (const line of text.split('\n').slice(0, -1)) {
    const d = JSON.parse(line) as Download;
    latest.set(d.id, d);
  }
  return [...latest.values()];
}

/** The URL that a download is checked against: a mirror may store it under any name, or another package's. */
export const askedUrl = ({ url, asked }: Download): string => asked ?? url;

/** The last part of a URL's path. */
export const fileOf = (url: string): string => new URL(url).pathname.split('/').at(-1) ?? url;
