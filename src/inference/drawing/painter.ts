import type { PlayPicture, PlayVariant } from '../../protocol/playground';
import type { Drawer } from '../../training/diffusion/drawer';
import type { Predict } from '../../training/diffusion/sampler';
import type { Painter } from '../subject';

/** Pictures of a pipeline, each with the seconds that it took. */
export const painterDraw =
  (drawer: Drawer, predict: (variant: PlayVariant) => Predict): Painter['draw'] =>
  async (question, variant, hooks): Promise<PlayPicture | undefined> => {
    const began = performance.now();
    const picture = await drawer.draw(question, predict(variant), hooks);
    if (!picture) return undefined;
    const { width, height, png } = picture;
    return { width, height, png: png.toString('base64'), seconds: (performance.now() - began) / 1000 };
  };
