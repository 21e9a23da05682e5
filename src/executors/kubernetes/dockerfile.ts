import { MANIFEST } from '../package/package';
import { TRAINER_FOLDER } from './container';
import { IMAGE_USER } from './pod';

/** The folder of the trainer's package beside the Dockerfile. */
export const TRAINER_CONTEXT = 'trainer';

/**
 * The image of pods: Node, rsync and the trainer's package, verified by its hashes while the image is built. The runtime
 * needs Debian's C library, or one like it; `BASE` may name another image with Node, such as one with CUDA.
 */
export const dockerfile = (): string => `# Written by aurora sweep --write.
ARG BASE=node:22-bookworm-slim
FROM \${BASE}
# Files go to a volume and back by rsync, if the machine that submits does not mount it.
RUN apt-get update \\
 && apt-get install --yes --no-install-recommends rsync \\
 && rm -rf /var/lib/apt/lists/*
COPY ${TRAINER_CONTEXT} ${TRAINER_FOLDER}
RUN cd ${TRAINER_FOLDER} && sha256sum --check --strict --quiet ${MANIFEST}
USER ${IMAGE_USER}:${IMAGE_USER}
`;
