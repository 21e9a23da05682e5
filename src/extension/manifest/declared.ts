import type { ToolDefinition } from '../../protocol/tools/definition';

/**
 * A file's part of package.json: an exported constant `contributes`, beside the code that it starts. `npm run build`
 * collects them (scripts/lib/manifest.mjs). Nothing else imports them, so bundles drop them; that takes literals, since a
 * call or a property of another object could have an effect.
 */
export interface Contributes {
  /** Commands by name: the id is `aurora.<name>`. */
  commands?: Record<string, Command>;
  /** Language model tools, by name. */
  tools?: Record<string, ToolDefinition>;
  /** Settings by name: the key is `aurora.<name>`. */
  settings?: Record<string, Setting>;
  view?: View;
  /** A dashboard, which VS Code restores after a reload: the name of its page in webview/. */
  panel?: string;
  walkthrough?: Walkthrough;
  /** Events that activate the extension, beside those that follow from commands, panels and walkthroughs. */
  activation?: string[];
  /** Sections of `contributes` as VS Code defines them. */
  sections?: Record<string, unknown>;
  extension?: Extension;
}

/** Texts of package.json outside `contributes`. */
export interface Extension {
  displayName: string;
  description: string;
  /** The explanation of what works in an untrusted workspace. */
  trust: string;
}

export interface Command {
  /** The title in title case, without the category. */
  title: string;
  /** A codicon's name. */
  icon?: string;
  enablement?: string;
  /** When the palette offers it: always if absent. */
  palette?: string | false;
  menus?: Menu[];
  keys?: { key: string; mac?: string; args?: string; when: string };
}

/** A place where a command is offered. `group` is VS Code's: "2_open@1". */
export type Menu = { group: string } & (
  | Row
  | { at: 'model'; row?: string }
  | { at: 'title'; view: 'experiments' | 'models' | 'machine' | 'models|machine' | 'all'; when?: string }
  | { at: 'explorer'; of: keyof typeof FILES }
  | { at: 'editor' }
);

/** Files in the Explorer, as a `when` clause. */
export const FILES = {
  onnx: 'resourceExtname == .onnx',
  model:
    'resourceExtname == .onnx || explorerResourceIsFolder && resourcePath in aurora.modelFolders || resourceFilename == config.json && resourceDirname in aurora.modelFolders',
  experiment: 'resourceFilename =~ /\\.aurora\\.json$/',
  adapter: 'resourceFilename == adapter_config.json && aurora.hasExperiments',
};

/**
 * `run`: the rows of runs in the Experiments view, and runs on pages. `row`: other rows there, or buttons on rows (`inline`
 * groups).
 */
export interface Row {
  at: 'run' | 'row';
  /** The capability that the row has (`Row` of words/run-row). */
  can?: string;
  /** Kinds of rows, separated by |; in the view alone. */
  of?: string;
  /** A kind of rows without it. */
  notOf?: string;
  /** The command applies to all selected rows; without this it is hidden while several are selected. */
  several?: true;
  /** The item is also in the other views. */
  everyView?: true;
}

export type Setting = {
  /** Markdown. */
  description: string;
  /** A workspace's value is ignored until it is trusted. */
  restricted?: true;
} & (
  | {
      type: 'string' | 'boolean' | 'integer' | 'object';
      default: unknown;
      /** The rest of its JSON Schema. */
      schema?: Record<string, unknown>;
    }
  | { type: 'choice'; default: string; choices: Record<string, Choice> }
);

/** A value of a setting; without a label it is shown as it is. */
export interface Choice {
  label?: string;
  description: string;
}

export interface View {
  id: string;
  name: string;
  /** The view's place in the side bar, from the top. */
  place: number;
  collapsed?: true;
  /** Messages of the empty view, by name. */
  welcome: Record<string, { when: string; text: string }>;
}

export interface Walkthrough {
  id: string;
  title: string;
  description: string;
  /** The steps by name, in order. A step's picture is media/walkthrough/<name>.svg. */
  steps: Record<string, { title: string; description: string; image: string; doneWith: string }>;
}
