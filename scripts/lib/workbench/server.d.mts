export type Version = '1.100' | '1.139';
export type ThemeName = 'dark' | 'light' | 'hc-dark' | 'hc-light';

export interface WorkbenchOptions {
  version: Version;
  /** The profile's folder under .cache/workbench/profiles; recreated unless `keepProfile`. */
  name: string;
  vsix?: string;
  /** A folder with an unpackaged extension. */
  extension?: string;
  theme?: ThemeName;
  /** Whether VS Code asks for trust, so that a folder opens untrusted. */
  trust?: boolean;
  keepProfile?: boolean;
  settings?: Record<string, unknown>;
  /** The extension host also gets these. */
  env?: Record<string, string>;
  flags?: string[];
}

export interface WorkbenchServer {
  port: number;
  profile: string;
  extensions: string;
  logFile: string;
  url(folder?: string, payload?: [string, string][]): string;
  stop(): Promise<void>;
}

export const THEMES: Record<ThemeName, string>;
export function startWorkbench(options: WorkbenchOptions): Promise<WorkbenchServer>;
