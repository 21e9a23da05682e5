import js from '@eslint/js';
import ts from 'typescript-eslint';

/** What stands on the graph; all of it is above what describes, keeps or reads files. */
const ABOVE_GRAPH = ['adapters', 'recipes', 'engine', 'data', 'trainer', 'runs', 'cli', 'demo', 'extension'];

/** Imports go one way (CONTRIBUTING.md): each folder names the ones it may not see. */
const ROOMS = {
  // Pure: names of the experiment file and what they mean. Pages may import it.
  experiment: ['shared', 'files', 'graph', ...ABOVE_GRAPH],
  files: ['experiment', 'graph', ...ABOVE_GRAPH],
  shared: ['files', 'graph', ...ABOVE_GRAPH],
  graph: ['experiment', ...ABOVE_GRAPH],
  adapters: ['recipes', 'engine', 'data', 'trainer', 'runs', 'cli', 'demo', 'extension'],
  recipes: ['engine', 'data', 'trainer', 'runs', 'cli', 'demo', 'extension'],
  data: ['adapters', 'engine', 'trainer', 'runs', 'cli', 'demo', 'extension'],
  demo: ['adapters', 'engine', 'data', 'trainer', 'runs', 'cli', 'extension'],
  engine: ['data', 'trainer', 'runs', 'cli', 'demo', 'extension'],
  runs: ['adapters', 'engine', 'data', 'trainer', 'cli', 'demo', 'extension'],
  trainer: ['cli', 'demo', 'extension'],
  cli: ['demo', 'extension'],
  // The host loads no runtime and no model: it asks the trainer program.
  extension: ['engine', 'data', 'trainer', 'cli', 'demo'],
};

/** A room's files, and the ways up that lead out of it: the host has a folder `trainer` of its own. */
const PLACES = [
  ...Object.keys(ROOMS)
    .filter((room) => room !== 'extension')
    .map((room) => ({ room, files: `src/${room}/**/*.ts`, up: ['../', '../../', '../../../'] })),
  { room: 'extension', files: 'src/extension/*.ts', up: ['../'] },
  { room: 'extension', files: 'src/extension/*/*.ts', up: ['../../'] },
  { room: 'extension', files: 'src/extension/*/*/*.ts', up: ['../../../'] },
];

const direction = PLACES.map(({ room, files, up }) => ({
  files: [files],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: ROOMS[room].flatMap((f) => up.flatMap((u) => [`${u}${f}`, `${u}${f}/**`])),
            message: `src/${room} must not import this: imports go one way.`,
          },
          ...(room === 'shared' || room === 'experiment'
            ? [
                {
                  group: ['node:*', 'vscode'],
                  message: `src/${room} runs on both sides of every wall.`,
                },
              ]
            : []),
          ...(room === 'engine'
            ? []
            : [
                {
                  group: ['onnxruntime-node', '@tensorflow/*', 'webgpu'],
                  message: 'Only src/engine loads a runtime.',
                },
              ]),
        ],
      },
    ],
  },
}));

export default ts.config(
  { ignores: ['dist/**', '.cache/**', 'node_modules/**', 'test/fixtures/**', 'coverage/**'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  {
    rules: {
      'max-lines': ['error', { max: 500 }],
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
    // Names that come from files must not reach a prototype (src/shared/names.ts).
    files: ['src/**/*.ts', 'webview/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "AssignmentExpression[operator=/^(\\?\\?|\\|\\|)=$/][left.computed=true][right.type='ObjectExpression']",
          message: 'This reads what the object inherits: use a Map, or own() of shared/names.',
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
      ],
    },
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
              regex: '/src/(?!shared/|experiment/)',
              message: 'Pages import only src/shared and src/experiment.',
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
              regex: '/src/(?!shared/|experiment/)',
              message: 'Pages import only src/shared and src/experiment.',
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
