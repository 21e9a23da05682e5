import type { ToolDefinition } from '../../protocol/tools/definition';
import type { Choice, Command, Setting, View, Walkthrough } from './declared';

/** The category of commands, and the title of the views' container. */
export const CATEGORY = 'AuroRA';
export const ICON = 'media/aurora.svg';
const TAGS = ['aurora', 'machine-learning', 'fine-tuning'];

/** Keeps a text for package.nls.json, and returns the reference to it. */
type Text = (key: string, words: string) => string;

export const commandEntry = (name: string, { title, icon, enablement }: Command, text: Text): object => ({
  command: `aurora.${name}`,
  title: text(`command.${name}`, title),
  category: CATEGORY,
  icon: icon && `$(${icon})`,
  enablement,
});

export const viewEntry = ({ id, name, collapsed }: View, text: Text): object => ({
  id: `aurora.${id}`,
  name: text(`view.${id}`, name),
  contextualTitle: CATEGORY,
  icon: ICON,
  visibility: collapsed && 'collapsed',
});

export const welcomeEntries = ({ id, welcome }: View, text: Text): object[] =>
  Object.entries(welcome).map(([name, { when, text: words }]) => ({
    view: `aurora.${id}`,
    contents: text(`welcome.${id}.${name}`, words),
    when,
  }));

/** The schema of a setting. Each applies to the machine: a workspace cannot change it. */
export function settingSchema(name: string, setting: Setting, text: Text): object {
  const description = text(`setting.${name}`, setting.description);
  return {
    ...(setting.type === 'choice'
      ? choiceSchema(name, setting.choices, text)
      : { type: setting.type, ...setting.schema }),
    default: setting.default,
    scope: 'machine',
    markdownDescription: description,
  };
}

function choiceSchema(setting: string, choices: Record<string, Choice>, text: Text): object {
  const all = Object.entries(choices);
  return {
    type: 'string',
    enum: all.map(([value]) => value),
    enumItemLabels: all.some(([, { label }]) => label)
      ? all.map(([value, c]) => c.label ?? value)
      : undefined,
    markdownEnumDescriptions: all.map(([value, { description }]) =>
      text(`setting.${setting}.${value}`, description),
    ),
  };
}

export const toolEntry = (name: string, tool: ToolDefinition, text: Text): object => ({
  name,
  toolReferenceName: tool.reference,
  displayName: text(`tool.${name}.name`, tool.name),
  userDescription: text(`tool.${name}.description`, tool.description),
  modelDescription: tool.forModel,
  canBeReferencedInPrompt: true,
  icon: `$(${tool.icon})`,
  tags: [...TAGS, tool.tag],
  inputSchema: { type: 'object', required: tool.required, properties: tool.input },
});

export const walkthroughEntry = ({ id, title, description, steps }: Walkthrough, text: Text): object => ({
  id,
  title: text('walkthrough.title', title),
  description: text('walkthrough.description', description),
  steps: Object.entries(steps).map(([step, words]) => ({
    id: step,
    title: text(`walkthrough.${step}.title`, words.title),
    description: text(`walkthrough.${step}.description`, words.description),
    media: { svg: `media/walkthrough/${step}.svg`, altText: text(`walkthrough.${step}.image`, words.image) },
    completionEvents: [`onContext:${words.doneWith}`],
  })),
});
