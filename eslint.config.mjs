import js from '@eslint/js';
import ts from 'typescript-eslint';
import { PURE, FOLDERS } from './scripts/lib/folders.mjs';

/** The levels of nested folders in a folder of src, including itself; a test finds deeper ones. */
const DEPTH = 3;

/** The imports that are forbidden in a file of src/FOLDER. `depth`: its folders below that one. */
function restricted(folder, depth, ...more) {
  const patterns = [
    {
      // An inner folder may have the name of another folder of src: only this many steps lead out of this one.
      regex: `^(\\.\\./){${depth + 1}}(?!(${[folder, ...FOLDERS[folder]].join('|')})/|\\.\\./package(\\.nls)?\\.json$)`,
      message: `src/${folder} must not import this: imports go one way.`,
    },
    ...more,
  ];
  if (PURE.includes(folder))
    patterns.push({
      group: ['node:*', 'vscode'],
      message: `src/${folder} is imported by pages too: no Node.js, no VS Code.`,
    });
  if (folder !== 'extension')
    patterns.push({ group: ['vscode'], message: 'Only src/extension may import vscode.' });
  if (folder !== 'engine')
    patterns.push({
      group: ['onnxruntime-node', '@tensorflow/*', 'webgpu'],
      message: 'Only src/engine loads a runtime.',
    });
  return { 'no-restricted-imports': ['error', { patterns }] };
}

/** Names that come from files must not reach a prototype (src/base/names.ts). */
const SAFE_NAMES = [
  {
    selector:
      "AssignmentExpression[operator=/^(\\?\\?|\\|\\|)=$/][left.computed=true][right.type='ObjectExpression']",
    message: 'This reads what the object inherits: use a Map, or own() of base/names.',
  },
  {
    selector: "BinaryExpression[operator='in'][left.type!='Literal']",
    message: 'This finds what the object inherits: use Object.hasOwn.',
  },
  {
    selector: 'ForInStatement',
    message: 'This walks over what the object inherits: use Object.keys.',
  },
  {
    selector:
      "CallExpression[callee.name=/^(spawn|spawnSync|exec|execFile|execFileSync)$/]:not(:has(Property[key.name='env'] > CallExpression[callee.name='childEnvironment']))",
    message: 'Start programs with env: childEnvironment(…), so that nothing inherited gets there.',
  },
];

/** Texts that come from files must not become links that run commands (src/extension/messages/plain-message.ts). */
const PLAIN_MESSAGES = [
  ['show(Information|Warning|Error)Message', 'notify of extension/messages'],
  ['withProgress', 'withProgress of extension/messages'],
  ['showInputBox', 'askText of extension/messages'],
  ['createInputBox', 'inputBox of extension/messages'],
  ['registerCommand', 'registerGuarded of ask/guard'],
].flatMap(([name, instead]) =>
  [
    `MemberExpression[property.name=/^${name}$/]`,
    `MemberExpression > Literal.property[value=/^${name}$/]`,
    `ObjectPattern > Property[key.name=/^${name}$/]`,
  ].map((selector) => ({ selector, message: `Its text can become a link: use ${instead}.` })),
);

const UNTRUSTED_MARKDOWN = {
  selector: 'AssignmentExpression[left.property.name=/^(isTrusted|supportHtml)$/]',
  message: 'Trusted Markdown runs the commands of its links.',
};

const NO_IMAGES = { group: ['sharp'], message: 'Only src/data/images reads images.' };

const direction = [
  ...Object.keys(FOLDERS).flatMap((folder) =>
    Array.from({ length: DEPTH }, (_, depth) => ({
      files: [`src/${folder}/${'*/'.repeat(depth)}*.ts`],
      rules: restricted(folder, depth, NO_IMAGES),
    })),
  ),
  { files: ['src/data/images/*.ts'], rules: restricted('data', 1) },
];

const PAGES = `/src/(?!(${PURE.join('|')})/)`;

export default ts.config(
  { ignores: ['dist/**', '.cache/**', 'node_modules/**', 'test/fixtures/**', 'coverage/**'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  {
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        performance: 'readonly',
        fetch: 'readonly',
        require: 'readonly',
        module: 'readonly',
        __dirname: 'readonly',
      },
    },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    files: ['src/**/*.ts', 'webview/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...SAFE_NAMES],
    },
  },
  {
    files: ['src/extension/**/*.ts'],
    ignores: ['src/extension/{messages/*,ask/guard}.ts'],
    rules: { 'no-restricted-syntax': ['error', ...SAFE_NAMES, ...PLAIN_MESSAGES, UNTRUSTED_MARKDOWN] },
  },
  ...direction,
  {
    files: ['webview/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: PAGES,
              message: `Pages import only ${PURE.map((folder) => `src/${folder}`).join(', ')}.`,
            },
            { group: ['node:*', 'vscode'], message: 'Pages run in a browser.' },
          ],
        },
      ],
    },
  },
  {
    files: ['webview/!(ui)/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: PAGES,
              message: `Pages import only ${PURE.map((folder) => `src/${folder}`).join(', ')}.`,
            },
            {
              group: ['node:*', 'vscode', '@vscode/webview-ui-toolkit*'],
              message: 'Only webview/ui imports the toolkit.',
            },
          ],
        },
      ],
    },
  },
);
