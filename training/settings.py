"""What can be set: one frozen dataclass a stage, each field with its unit and source on its line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from training.errors import TrainingError
from training.setting_limits import check_settings


@dataclass(frozen=True)
class StyleTransferSettings:
    """Stage 1, SPGAN. The defaults are the ``paper`` preset; equation numbers are the paper's."""

    blocks: int = 9  # residual blocks of each generator; CycleGAN for 256-pixel images
    filters: int = 64  # channels of the generators' first layer; CycleGAN
    discriminator_filters: int = 64  # channels of the discriminators' first layer; CycleGAN
    siamese_filters: int = 64  # channels of SiaNet's first layer; SPGAN
    residual: bool = False  # True: starts as a colour map and learns a change; ours, for short runs
    epochs: int = 30  # epochs; design, `paper`
    iterations_per_epoch: int = 2000  # batches an epoch; design, `paper`
    batch_size: int = 8  # images of each domain; SPGAN
    height: int = 256  # pixels after the crop; SPGAN
    width: int = 128  # pixels after the crop; SPGAN
    jitter: float = 286 / 256  # enlargement before the random crop, 1 = none; SPGAN: 286x144 -> 256x128
    learning_rate: float = 2e-4  # Adam, all networks; CycleGAN
    beta1: float = 0.5  # Adam; CycleGAN
    beta2: float = 0.999  # Adam; CycleGAN
    decay_from: float = 0.5  # fraction of all iterations after which the rate falls linearly to 0; CycleGAN
    pool_size: int = 50  # earlier fakes kept for each discriminator, images; CycleGAN
    cycle_weight: float = 10.0  # lambda 1 of eq 6; SPGAN
    identity_weight: float = 5.0  # lambda 2 of eq 6; SPGAN
    contrastive_weight: float = 2.0  # lambda 3 of eq 6; SPGAN
    margin: float = 2.0  # m of eq 5, in [0, 2]; SPGAN
    dropout: float = 0.5  # SiaNet, before its last layer; SPGAN
    generator_every: int = 2  # generators learn every n-th iteration; SPGAN
    contrastive_from_epoch: int = 1  # from 0: first epoch whose generators see eq 5; SPGAN: the second


@dataclass(frozen=True)
class NetworkSettings:
    """The embedding network of stages 2 and 3. The defaults are the ``paper`` preset."""

    backbone: Literal["resnet50_ibn_a", "resnet50", "resnet18", "efficientnet_lite0"] = (
        "resnet50_ibn_a"  # see training.networks.backbones; paper, section 3.2.1
    )
    weights: str | None = None  # a file of ImageNet weights brought by hand; None: bundled or fetched once
    height: int = 256  # pixels of a crop, a multiple of 32; the field's habit
    width: int = 128  # pixels of a crop, a multiple of 32; the field's habit
    last_stride: int = 1  # of the last stage, 1 or 2; Luo et al. 2019 (ResNets: always 1)
    transformer_blocks: int = 2  # last blocks that attend, 0..2; eqs 10-14, Table 5
    transformer_heads: int = 4  # attention heads; ours (the paper does not say)
    transformer_sigmoid: bool = True  # sigmoid of eq 10
    pooling: Literal["average", "gem"] = "average"  # "average" or "gem"


@dataclass(frozen=True)
class PretrainingSettings:
    """Stage 2, supervised pre-training. The defaults are the ``paper`` preset, with MMT's constants."""

    epochs: int = 80  # epochs; MMT
    iterations_per_epoch: int = 100  # batches an epoch; MMT
    identities: int = 16  # people a batch; MMT
    instances: int = 4  # images of each; MMT
    optimiser: Literal["adam", "adamw"] = "adam"  # "adam" (L2 in the gradient) or "adamw" (decoupled decay)
    learning_rate: float = 3.5e-4  # MMT
    weight_decay: float = 5e-4  # MMT
    warmup_iterations: int = 1000  # linear warm-up; MMT: 10 epochs
    schedule: Literal["steps", "cosine", "constant"] = (
        "steps"  # "steps": x0.1 after each of `steps`; "cosine": to 0 at the end
    )
    steps: tuple[float, ...] = (0.5, 0.875)  # as fractions of all iterations; MMT: epochs 40 and 70 of 80
    smoothing: float = 0.1  # label smoothing of eq 7; MMT
    triplet_margin: float | None = None  # m of eq 8; None: softmax margin (MMT)
    triplet_scale: float = 0.0  # 0: raw features in eq 8; s > 0: L2-normalised features times s
    identity_weight: float = 0.5  # lambda of eq 9
    erasing: float = 0.0  # probability of random erasing; MMT: none in pre-training
    target_images: int = 64  # target images a batch run through without loss, for the norms; MMT; 0: none
    norms_from_target: bool = False  # True: the norms' statistics are taken anew from the target at the end
    norm_group: int = 16  # images a batch norm's statistics are taken over; 0: the whole batch


@dataclass(frozen=True)
class TeacherStudentSettings:
    """Stage 3, teacher-student adaptation. The defaults are the ``paper`` preset, with MMT's constants."""

    networks: int = 2  # students, each with its teacher; Algorithm 3. 1: plain self-training, for comparison
    epochs: int = 40  # epochs, each with a clustering of its own; MMT
    iterations_per_epoch: int = 400  # batches an epoch; MMT
    identities: int = 16  # clusters a batch; MMT
    instances: int = 4  # images of each; MMT
    optimiser: Literal["adam", "adamw"] = "adam"  # "adam" or "adamw"
    keep_optimiser: bool = False  # False: built anew every epoch, moments lost; MMT
    learning_rate: float = 3.5e-4  # MMT
    schedule: Literal["constant", "cosine"] = (
        "constant"  # "constant" (MMT) or "cosine": to 0 at the end of the last epoch
    )
    weight_decay: float = 5e-4  # MMT
    alpha: float = 0.999  # momentum of the mean teachers, eq 15; MMT
    clustering: Literal["dbscan", "kmeans"] = "dbscan"  # "dbscan" or "kmeans"; paper, Table 3
    kmeans_clusters: int = 500  # K of K-means; paper, Table 3
    expected_images: float = 17.0  # images a person is expected to have in the target; Market-1501: 17.2
    k1: int | None = None  # neighbours of the Jaccard distance; None: follows expected_images (30 at 17)
    k2: int | None = None  # neighbours of its query expansion; None: follows expected_images (6 at 17)
    eps: float | None = None  # DBSCAN radius, 0..1; None: auto, from the nearest pairs
    min_samples: int | None = None  # DBSCAN; None: 4, or 2 where fewer than 8 images a person are expected
    camera_centred: bool = False  # True: cluster features less their camera's mean; ours, measured
    camera_aware: bool = False  # True: neighbours of the own camera and of others apart; CA-Jaccard
    track_links: bool = (
        False  # True: images of one track are clustered together, of tracks seen together not; ours
    )
    head: Literal["classifier", "memory"] = (
        "classifier"  # "classifier" (from the centres, MMT) or "memory" (of the centres; Cluster Contrast)
    )
    memory_temperature: float = 0.05  # of the memory's logits; SpCL
    memory_momentum: float = 0.4  # share of a centre that a batch leaves as it was, 0..1; ours
    proxy_weight: float = 0.0  # of the camera-aware proxies' loss; 0: none; beyond the paper
    proxy_temperature: float = 0.07  # of their logits; Wang et al. 2021
    source_weight: float = 0.0  # of eq 9 on source images kept in the batch, normalised apart; 0: none; SpCL
    smoothing: float = 0.1  # label smoothing of the hard identity loss; MMT
    triplet_margin: float | None = None  # m of eq 8; None: softmax margin
    triplet_scale: float = 0.0  # as in stage 2
    soft_identity_weight: float = 0.5  # lambda_id of eq 20; MMT
    soft_triplet_weight: float = 0.8  # lambda_tri of eq 20; MMT
    identity_weight: float = 0.45  # beta 1 of eq 20
    triplet_weight: float = 0.45  # beta 2 of eq 20; the rest to 1 is the attraction's
    attraction_mates: int = 6  # n of eq 19: nearest cluster-mates whose centre attracts
    erasing: float = 0.5  # probability of random erasing; MMT
    norm_group: int = 16  # images a batch norm's statistics are taken over; 0: the whole batch
    selection: Literal[
        "auto",
        "cluster_separation",
        "jaccard_silhouette",
        "mutual_across_cameras",
        "track_retrieval",
        "co_seen_separation",
    ] = "auto"  # label-free score that picks the network kept, see training.model_selection; ours


@dataclass(frozen=True)
class Settings:
    """All settings of a run of the three stages."""

    preset: str = "paper"  # the name of the preset these settings began as
    seed: int = 0  # of everything random
    device: str = "auto"  # "auto", "cpu", "cuda" or "cuda:N"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # "auto", "float32" or "bfloat16" (autocast)
    compile: bool = False  # True: networks through torch.compile; needs a C++ compiler, and minutes at first
    style_transfer_enabled: bool = True  # False: pre-train on the untranslated source (Table 4)
    network: NetworkSettings = NetworkSettings()
    style_transfer: StyleTransferSettings = StyleTransferSettings()
    pretraining: PretrainingSettings = PretrainingSettings()
    teacher_student: TeacherStudentSettings = TeacherStudentSettings()

    def __post_init__(self) -> None:
        """Find now what would stop a run hours later.

        Raises:
            TrainingError: a value that no stage can work with.
        """
        check_settings(self)
        stage = self.teacher_student
        if stage.identity_weight + stage.triplet_weight > 1:
            raise TrainingError(
                "the settings teacher_student.identity_weight and teacher_student.triplet_weight cannot be more than 1"
                " together: what they leave of 1 is the attraction's"
            )
