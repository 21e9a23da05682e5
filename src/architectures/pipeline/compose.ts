import { GraphBuilder } from '../../graph/builder';
import type { Graph, Model, Node, Tensor } from '../../graph/model';
import { upgraded } from '../../graph/prepare';
import { prune } from '../../graph/reads';

/** A text encoder and the prefix of its modules' names. */
interface Part {
  name: string;
  model: Model;
}

/** The U-Net's input with the states of the texts. */
const STATES = 'encoder_hidden_states';
const EMBEDS = 'text_embeds';
const IDS = 'input_ids';

/**
 * A single graph of a U-Net and its text encoders, as diffusers' pipelines connect them: the first encoder's normed
 * states in Stable Diffusion; in SDXL the states of each encoder before its last layer, side by side, and the last
 * one's embedding of the whole text.
 */
export function compose(unet: Model, encoders: readonly Part[], isXl: boolean): Model {
  const parts = encoders.map(({ name, model }, i) =>
    renamed(upgraded(model).graph, name, i === 0 ? IDS : `${IDS}_${i + 1}`),
  );
  const main = upgraded(unet);
  const first: Node[] = [];
  const graph: Graph = {
    ...main.graph,
    inputs: [
      ...main.graph.inputs.filter((i) => i.name !== STATES && i.name !== EMBEDS),
      ...parts.flatMap((p) => p.graph.inputs),
    ],
    initializers: new Map([...main.graph.initializers, ...parts.flatMap((p) => [...p.graph.initializers])]),
    nodes: [],
  };
  const g = new GraphBuilder(graph, '/texts', first);
  const states = parts.map((part) => (isXl ? beforeLast(part) : part.named('last_hidden_state')));
  if (states.length === 1) g.op('Identity', states, {}, { outputs: [STATES] });
  else g.op('Concat', states, { axis: -1 }, { outputs: [STATES] });
  if (main.graph.inputs.some((i) => i.name === EMBEDS))
    g.op('Identity', [parts.at(-1)!.named(EMBEDS)], {}, { outputs: [EMBEDS] });
  graph.nodes = [...parts.flatMap((p) => p.graph.nodes), ...first, ...main.graph.nodes];
  return { ...main, graph: { ...prune(graph), inputs: graph.inputs } };
}

/** The states before the last layer: the last entry of hidden_states comes after it. */
function beforeLast(part: Renamed): string {
  const numbers = part.outputs.flatMap((name) => /^hidden_states\.(\d+)$/.exec(name)?.[1] ?? []);
  return part.named(`hidden_states.${Math.max(...numbers.map(Number)) - 1}`);
}

interface Renamed {
  graph: Graph;
  /** The outputs with the names of the model itself. */
  outputs: string[];
  /** A tensor by its name in the model itself. */
  named(name: string): string;
}

/** A graph whose tensors and nodes are named after a part: `text_encoder.layer.weight`, `/text_encoder/layer/Gemm`. */
function renamed(graph: Graph, part: string, ids: string): Renamed {
  const named = (name: string) => {
    if (name === '') return name;
    if (name === IDS) return ids;
    return name.startsWith('/') ? `/${part}${name}` : `${part}.${name}`;
  };
  const tensors = [...graph.initializers.values()].map((t): [string, Tensor] => [
    named(t.name),
    { ...t, name: named(t.name) },
  ]);
  return {
    graph: {
      ...graph,
      inputs: graph.inputs.map((i) => ({ ...i, name: named(i.name) })),
      initializers: new Map(tensors),
      nodes: graph.nodes.map((n) => ({
        ...n,
        name: named(n.name),
        inputs: n.inputs.map(named),
        outputs: n.outputs.map(named),
      })),
    },
    outputs: graph.outputs.map((o) => o.name),
    named,
  };
}
