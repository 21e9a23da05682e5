import { anl, anlNodes } from '../../../adapters/methods/anl';
import { basis, basisCenters, gridStep } from '../../../adapters/methods/spline';
import { openSession } from '../../../engine/onnxruntime/session';
import { probe } from '../../../engine/onnxruntime/probe';
import { CPU, type Place } from '../../../engine/place';
import { openGraphs } from '../../../engine/tfjs/stepper';
import { differentiate } from '../../../graph/autodiff/differentiate';
import { GraphBuilder } from '../../../graph/builder';
import { DType } from '../../../graph/dtype';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Model } from '../../../graph/model';
import { encodeModel } from '../../../graph/onnx/encode';
import type { AnlCase } from './case';
import { arrayProblem, Comparison } from './compare-arrays';
import { HOST, tolerancesOf } from './tolerance';

/** The bare nonlinear layer, forward and gradients, in float32 on the engine and in float64 on the host. */
export async function runAnlCases(cases: readonly AnlCase[], place: Place = CPU): Promise<Comparison> {
  const report = new Comparison();
  if (cases.length === 0) report.fail('cases', 'cases', 'empty in the file');
  for (const [i, c] of cases.entries()) await runAnlCase(report, c, place, `cases[${i}].`);
  return report;
}

async function runAnlCase(report: Comparison, c: AnlCase, place: Place, at: string): Promise<void> {
  const tolerances = tolerancesOf(place);
  const used = ['z', 'weight', ...(c.fixed ? ['H'] : []), ...(c.learnable ? ['W', 'bases'] : [])] as const;
  const problems = used.map((name) => [name, arrayProblem(c[name as 'z'])] as const).filter(([, p]) => p);
  for (const [name, problem] of problems) report.fail('format', `${at}${name}`, problem!);
  if (problems.length) return;
  const [n, rank] = c.z.dims;
  const centers = basisCenters(c);
  const bases = c.z.data.flatMap((z) => centers.map((m) => basis(c.splineOrder, (z - m) / gridStep(c))));
  if (c.learnable) report.tensor('bases', `${at}bases`, bases, c.bases, HOST.bases);
  const host = Array.from({ length: n }, (_, row) => [
    ...anl(c.z.data.slice(row * rank, (row + 1) * rank), c.H?.data ?? [], c.W?.data ?? [], c),
  ]).flat();
  report.tensor('sigma', `${at}sigma (host)`, host, c.sigma, HOST.sigma);

  const model = anlModel(c);
  const wrt = ['z', ...(c.fixed ? ['H'] : []), ...(c.learnable ? ['W'] : [])];
  const tensor = (a: { dims: number[]; data: number[] }) => ({
    dtype: DType.float,
    dims: a.dims,
    data: Float32Array.from(a.data),
  });
  const feeds = Object.fromEntries(
    model.graph.inputs.map(({ name }) => [name, tensor(c[name as 'z' | 'H' | 'W' | 'weight'])]),
  );
  const { sigma, gradients } = await (place.engine === 'tfjs' ? byTfjs : byOnnxRuntime)(
    model,
    wrt,
    feeds,
    place,
  );
  report.tensor('sigma', `${at}sigma`, sigma, c.sigma, tolerances.sigma);
  report.tensor('gradZ', `${at}gradZ`, gradients.get('z'), c.gradZ, tolerances.sigmaGradients);
  if (c.fixed) report.tensor('gradH', `${at}gradH`, gradients.get('H'), c.gradH, tolerances.sigmaGradients);
  if (c.learnable)
    report.tensor('gradW', `${at}gradW`, gradients.get('W'), c.gradW, tolerances.sigmaGradients);
}

interface AnlResult {
  sigma: Float32Array;
  gradients: ReadonlyMap<string, Float32Array>;
}
type Feeds = Record<string, { dtype: number; dims: number[]; data: Float32Array }>;

/** The forward nodes and AuroRA Lab's backward nodes in one graph. */
async function byOnnxRuntime(model: Model, wrt: string[], feeds: Feeds, place: Place): Promise<AnlResult> {
  const infos = await probe(model);
  const [sigma, loss] = model.graph.outputs.map((o) => o.name);
  const g = new GraphBuilder(model.graph, '/seed');
  const names = differentiate(model.graph, infos, new Map([[loss, g.scalar(1, DType.float)]]), wrt);
  for (const name of names.values()) g.addOutput(name);
  const session = await openSession(encodeModel(model), {
    device: place.engine === 'onnxruntime' ? place.device : 'cpu',
  });
  const out = await session.run(feeds);
  await session.dispose();
  const value = (name: string) => out[name].data as Float32Array;
  return { sigma: value(sigma), gradients: new Map([...names].map(([x, dx]) => [x, value(dx)])) };
}

/** The forward graph, with gradients computed by tfjs. */
async function byTfjs(model: Model, wrt: string[], feeds: Feeds, place: Place): Promise<AnlResult> {
  const [logits, lossSum] = model.graph.outputs.map((o) => o.name);
  const count = new GraphBuilder(model.graph, '/count').scalar(1, DType.float);
  const trainable = wrt.map((name) => ({ name, dims: feeds[name].dims, part: 'adapter' as const }));
  const none = { frozen: [], stop: [], observed: new Map<string, string[]>() };
  const graph = { model, trainable, labels: '', logits, lossSum, count, ...none };
  const stepper = await openGraphs(graph, graph, { place });
  const parameters = new Map(wrt.map((name) => [name, feeds[name].data]));
  const { gradients } = await stepper.step(feeds, parameters, 1);
  const sigma = (await stepper.evaluate(feeds, parameters)).logits.data as Float32Array;
  await stepper.dispose();
  return { sigma, gradients };
}

/** sigma and sum(sigma · weight) of z, H and W. */
function anlModel(c: AnlCase): Model {
  const graph: Model['graph'] = { name: 'anl', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '/anl');
  for (const name of ['z', 'weight', ...(c.fixed ? ['H'] : []), ...(c.learnable ? ['W'] : [])] as const)
    g.addInput(name, DType.float, c[name as 'z'].dims);
  const sigma = anlNodes(g, 'z', 'H', 'W', c, DType.float);
  const loss = g.op('ReduceSum', [g.op('Mul', [sigma, 'weight'])], { keepdims: 0 });
  g.addOutput(sigma);
  g.addOutput(loss);
  return {
    irVersion: INTERNAL_IR_VERSION,
    producer: 'aurora-lab',
    opsets: new Map([['', INTERNAL_OPSET]]),
    graph,
    metadata: new Map(),
  };
}
