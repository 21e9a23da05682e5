import type { Command, Contributes } from './declared';
import {
  CATEGORY,
  commandEntry,
  ICON,
  settingSchema,
  toolEntry,
  viewEntry,
  walkthroughEntry,
  welcomeEntries,
} from './entries';
import { menuEntries } from './menus';

/** The menus, in the order of package.json. */
const MENUS = [
  'commandPalette',
  'view/title',
  'view/item/context',
  'webview/context',
  'explorer/context',
  'editor/title',
];

/** The generated sections of package.json, and the texts that they refer to by `%key%`: package.nls.json. */
export interface Manifest {
  sections: {
    displayName: string;
    description: string;
    activationEvents: string[];
    capabilities: object;
    contributes: Record<string, unknown>;
  };
  texts: Record<string, string>;
}

/**
 * Puts together what the files contribute. The order does not depend on the files: VS Code sorts commands by title and
 * menus by group.
 *
 * @throws Error if two files declare the same
 */
export function manifestOf(files: readonly Contributes[]): Manifest {
  const texts: Record<string, string> = {};
  const text = (key: string, words: string): string => {
    if (Object.hasOwn(texts, key)) throw new Error(`${key} is declared twice.`);
    texts[key] = words;
    return `%${key}%`;
  };
  const all = <T>(part: (file: Contributes) => Record<string, T> | undefined): [string, T][] =>
    files.flatMap((file) => Object.entries(part(file) ?? {}));

  const { displayName, description, trust } = files.find((file) => file.extension)!.extension!;
  const commands = sorted(
    all((file) => file.commands),
    ([name]) => name,
  );
  const tools = sorted(
    all((file) => file.tools),
    ([name]) => name,
  );
  const settings = all((file) => file.settings);
  const views = sorted(
    files.flatMap((file) => file.view ?? []),
    ({ place }) => String(place),
  );
  const walkthroughs = files.flatMap((file) => file.walkthrough ?? []);
  return {
    sections: {
      displayName: text('displayName', displayName),
      description: text('description', description),
      activationEvents: [
        ...files.flatMap((file) => file.activation ?? []),
        ...files.flatMap((file) => (file.panel ? `onWebviewPanel:aurora.${file.panel}` : [])),
        ...walkthroughs.map(({ id }) => `onWalkthrough:${id}`),
      ],
      capabilities: {
        untrustedWorkspaces: {
          supported: 'limited',
          description: text('trust.description', trust),
          restrictedConfigurations: settings.flatMap(([name, s]) => (s.restricted ? `aurora.${name}` : [])),
        },
        virtualWorkspaces: false,
      },
      contributes: {
        ...once(all((file) => file.sections)),
        commands: commands.map((command) => commandEntry(...command, text)),
        menus: menusOf(commands),
        keybindings: commands.flatMap(([name, { keys }]) =>
          keys ? { command: `aurora.${name}`, ...keys } : [],
        ),
        viewsContainers: { activitybar: [{ id: 'aurora', title: CATEGORY, icon: ICON }] },
        views: { aurora: views.map((view) => viewEntry(view, text)) },
        viewsWelcome: views.flatMap((view) => welcomeEntries(view, text)),
        configuration: {
          title: displayName,
          properties: Object.fromEntries(
            settings.map(([name, setting]) => [`aurora.${name}`, settingSchema(name, setting, text)]),
          ),
        },
        languageModelTools: tools.map((tool) => toolEntry(...tool, text)),
        walkthroughs: walkthroughs.map((walkthrough) => walkthroughEntry(walkthrough, text)),
      },
    },
    texts,
  };
}

function menusOf(commands: [name: string, command: Command][]): Record<string, object[]> {
  const entries = commands.flatMap(([name, command]) => menuEntries(`aurora.${name}`, command));
  const of = (menu: string) => entries.flatMap(([name, entry]) => (name === menu ? entry : []));
  return Object.fromEntries(MENUS.map((menu) => [menu, sorted(of(menu), ({ group }) => group ?? '')]));
}

function once(sections: [name: string, value: unknown][]): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, value] of sections) {
    if (Object.hasOwn(found, name)) throw new Error(`The section ${name} is declared twice.`);
    found[name] = value;
  }
  return found;
}

/** Sorts by a key; equal ones keep their order. */
const sorted = <T>(values: T[], key: (value: T) => string): T[] =>
  values.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
