from __future__ import annotations

from pathlib import Path

import pytest

from training.datasets import (
    Dataset,
    Sample,
    evaluation_split,
    open_dataset,
    open_target,
    require_source,
    require_target,
)
from training.errors import DatasetError

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "reid"


def touch(root: Path, *names: str) -> Path:
    """Opening looks at names only, so empty files will do."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def seen(samples: tuple[Sample, ...]) -> list[tuple[str, int, int]]:
    return [(sample.path.name, sample.identity, sample.camera) for sample in samples]


class TestMarket1501:
    def test_three_folders(self, tmp_path):
        touch(
            tmp_path,
            "bounding_box_train/0002_c1s1_000451_03.jpg",
            "bounding_box_train/0007_c3s3_077419_03.jpg",
            "bounding_box_train/Thumbs.db",
            "query/0001_c1s1_001051_00.jpg",
            "bounding_box_test/-1_c1s1_000401_03.jpg",
            "bounding_box_test/0000_c2s1_000151_01.jpg",
            "bounding_box_test/0001_c2s1_000301_00.jpg",
        )
        dataset = open_dataset(tmp_path)
        assert dataset.layout == "Market-1501"
        assert seen(dataset.images) == [
            ("0002_c1s1_000451_03.jpg", 2, 1),
            ("0007_c3s3_077419_03.jpg", 7, 3),
        ]
        assert seen(dataset.query) == [("0001_c1s1_001051_00.jpg", 1, 1)]
        # Junk is gone; the distractor stays and matches nobody.
        assert seen(dataset.gallery) == [
            ("0000_c2s1_000151_01.jpg", -1, 2),
            ("0001_c2s1_000301_00.jpg", 1, 2),
        ]
        assert (dataset.identities, dataset.cameras, dataset.problems) == (2, 2, ())

    def test_person_0_is_a_person_where_it_is_asked_for(self, tmp_path):
        touch(tmp_path, "query/0000_c1s1_1_0.jpg", "bounding_box_test/0000_c2s1_1_0.jpg")
        assert seen(open_dataset(tmp_path).gallery) == [("0000_c2s1_1_0.jpg", 0, 2)]

    def test_training_folder_alone_has_no_split(self, tmp_path):
        touch(tmp_path, "bounding_box_train/0002_c1s1_000451_03.jpg")
        dataset = open_dataset(tmp_path)
        assert (dataset.query, dataset.gallery) == (None, None)

    def test_query_without_gallery_is_said(self, tmp_path):
        touch(tmp_path, "bounding_box_train/0002_c1s1_000451_03.jpg", "query/0001_c1s1_001051_00.jpg")
        dataset = open_dataset(tmp_path)
        assert dataset.query is None
        assert "only one of query" in dataset.problems[0]

    def test_flat_folder_may_number_people_from_0(self, tmp_path):
        touch(tmp_path, "0000_c1s1_000001_00.jpg", "0001_c2s1_000001_00.jpg", "notes.jpg")
        dataset = open_dataset(tmp_path)
        assert [identity for _, identity, _ in seen(dataset.images)] == [0, 1]
        assert dataset.problems[0].startswith("1 images of")

    def test_flat_test_folder_drops_junk_and_distractors(self, tmp_path):
        touch(tmp_path, "-1_c1s1_1_0.jpg", "0000_c1s1_1_0.jpg", "0001_c1s1_1_0.jpg", "0003_c1s1_1_0.jpg")
        dataset = open_dataset(tmp_path)
        assert [identity for _, identity, _ in seen(dataset.images)] == [1, 3]
        assert dataset.problems[0].startswith("2 junk images and distractors")

    def test_folder_inside_a_folder_as_archives_unpack(self, tmp_path):
        touch(tmp_path, "Market-1501-v15.09.15/bounding_box_train/0002_c1s1_000451_03.jpg")
        assert open_dataset(tmp_path).name == "Market-1501-v15.09.15"


def test_dukemtmc(tmp_path):
    touch(
        tmp_path,
        "bounding_box_train/0001_c2_f0046182.jpg",
        "query/0005_c2_f0046985.jpg",
        "bounding_box_test/0005_c5_f0051341.jpg",
    )
    dataset = open_dataset(tmp_path)
    assert dataset.layout == "DukeMTMC-reID"
    assert seen(dataset.images) == [("0001_c2_f0046182.jpg", 1, 2)]
    assert seen(dataset.gallery) == [("0005_c5_f0051341.jpg", 5, 5)]


class TestMSMT17:
    @pytest.mark.parametrize("folders", [("train", "test"), ("mask_train_v2", "mask_test_v2")])
    @pytest.mark.parametrize("parent", [".", "MSMT17"])
    def test_lists(self, tmp_path, folders, parent):
        root = touch(
            tmp_path / parent,
            f"{folders[0]}/0000/0000_000_01_0303morning_0008_0.jpg",
            f"{folders[1]}/0000/0000_000_11_0113noon_0112_0.jpg",
        )
        lists = {
            "train": "0000/0000_000_01_0303morning_0008_0.jpg 0\n",
            "val": "0001/0001_003_15_0303noon_1150_2_ex.jpg 1\nnonsense\n../../secret_0_1_x.jpg 2\n",
            "query": "0000/0000_000_11_0113noon_0112_0.jpg 0\n",
            "gallery": "0000/0000_004_04_0113noon_0112_0.jpg 0\n",
        }
        for part, text in lists.items():
            (root / f"list_{part}.txt").write_text(text)
        dataset = open_dataset(tmp_path)
        assert dataset.layout == "MSMT17"
        assert [(sample.identity, sample.camera) for sample in dataset.images] == [(0, 1), (1, 15)]
        assert dataset.images[0].path.is_file()
        assert [(sample.identity, sample.camera) for sample in dataset.query] == [(0, 11)]
        assert dataset.query[0].path.is_file()
        assert dataset.gallery[0].camera == 4
        assert len(dataset.problems) == 1
        assert dataset.problems[0].startswith("2 lines of")

    def test_lists_without_images(self, tmp_path):
        touch(tmp_path, "list_train.txt")
        with pytest.raises(DatasetError, match="unpack the images"):
            open_dataset(tmp_path)

    def test_unreadable_list(self, tmp_path):
        touch(tmp_path, "train/0000/x.jpg")
        (tmp_path / "list_train.txt").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(DatasetError, match="cannot be read as a list"):
            open_dataset(tmp_path)


class TestCUHK03:
    @pytest.mark.parametrize("folder", ["detected", "images_labeled", "."])
    def test_image_folder(self, tmp_path, folder):
        touch(tmp_path / folder, "1_001_1_01.png", "1_001_2_06.png", "2_001_1_01.png")
        dataset = open_dataset(tmp_path)
        assert dataset.layout == "CUHK03"
        assert (dataset.identities, dataset.cameras) == (2, 2)
        assert dataset.images[0].identity == dataset.images[1].identity != dataset.images[2].identity

    def test_one_of_two_croppings_is_used(self, tmp_path):
        touch(tmp_path, "detected/1_001_1_01.png", "labeled/1_001_1_01.png")
        dataset = open_dataset(tmp_path)
        assert len(dataset.images) == 1
        assert "labeled" in dataset.problems[-1]

    def test_market_names_in_its_folders(self, tmp_path):
        touch(
            tmp_path,
            "detected/bounding_box_train/0001_c1_1.png",
            "detected/query/0002_c1_2.png",
            "detected/bounding_box_test/0002_c2_3.png",
        )
        dataset = open_dataset(tmp_path)
        assert dataset.layout == "CUHK03"
        assert seen(dataset.gallery) == [("0002_c2_3.png", 2, 2)]


class TestFolders:
    def test_identity_and_camera(self, tmp_path):
        touch(tmp_path, "anna/door/1.jpg", "anna/yard/1.jpg", "ben/yard/1.JPG", ".cache/x/1.jpg")
        dataset = open_dataset(tmp_path)
        assert seen(dataset.images) == [("1.jpg", 0, 0), ("1.jpg", 0, 1), ("1.JPG", 1, 1)]
        assert (dataset.layout, dataset.problems) == ("<identity>/<camera>", ())

    def test_no_cameras_is_said(self, tmp_path):
        touch(tmp_path, "anna/1.jpg", "anna/2.jpg", "ben/1.jpg")
        dataset = open_dataset(tmp_path)
        assert (dataset.layout, dataset.identities, dataset.cameras) == ("<identity>", 2, 0)
        assert "no camera" in dataset.problems[0]

    def test_some_cameras_are_said(self, tmp_path):
        touch(tmp_path, "anna/1.jpg", "anna/door/2.jpg")
        assert open_dataset(tmp_path).problems[0].startswith("1 of 2 images have no camera")


class TestBadFolders:
    def test_missing(self, tmp_path):
        with pytest.raises(DatasetError, match="does not exist"):
            open_dataset(tmp_path / "none")
        with pytest.raises(DatasetError, match="does not exist"):
            open_target(tmp_path / "none")

    def test_file(self, tmp_path):
        with pytest.raises(DatasetError, match="is a file"):
            open_dataset(touch(tmp_path, "archive.zip") / "archive.zip")

    def test_empty(self, tmp_path):
        with pytest.raises(DatasetError, match="holds no images"):
            open_dataset(tmp_path)
        with pytest.raises(DatasetError, match="holds no images"):
            open_target(tmp_path)

    def test_images_without_identities(self, tmp_path):
        with pytest.raises(DatasetError, match="holds 2 images and their names tell no person"):
            open_dataset(touch(tmp_path, "a.jpg", "b.jpg"))

    def test_unreadable(self, tmp_path, monkeypatch):
        def refuse(_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("os.scandir", refuse)
        with pytest.raises(DatasetError, match="Permission denied"):
            open_dataset(tmp_path)

    def test_source_of_one_person(self, tmp_path):
        dataset = open_dataset(touch(tmp_path, "anna/door/1.jpg", "anna/yard/1.jpg"))
        with pytest.raises(DatasetError, match="at least two people with two images each"):
            require_source(dataset)

    def test_source_of_two_people_is_enough(self, tmp_path):
        require_source(open_dataset(touch(tmp_path, "a/x/1.jpg", "a/y/1.jpg", "b/x/1.jpg", "b/y/1.jpg")))

    def test_small_target(self, tmp_path):
        touch(tmp_path, *(f"{number}.jpg" for number in range(7)))
        with pytest.raises(DatasetError, match="7 crops are too few"):
            require_target(open_target(tmp_path))
        require_target(open_target(touch(tmp_path, "8.jpg")))


class TestTargets:
    def test_flat(self, tmp_path):
        dataset = open_target(touch(tmp_path, "a.jpg", "b.png"))
        assert seen(dataset.images) == [("a.jpg", -1, -1), ("b.png", -1, -1)]
        assert dataset.problems == ("the images have no camera.",)

    def test_camera_folders(self, tmp_path):
        dataset = open_target(touch(tmp_path, "door/1.jpg", "yard/1.jpg", "yard/2.jpg"))
        assert seen(dataset.images) == [("1.jpg", -1, 0), ("1.jpg", -1, 1), ("2.jpg", -1, 1)]

    def test_names_give_cameras_and_labels_are_ignored(self, tmp_path):
        dataset = open_target(touch(tmp_path, "0001_c1s1_1_0.jpg", "0002_c4s1_1_0.jpg"))
        assert [(identity, camera) for _, identity, camera in seen(dataset.images)] == [(-1, 1), (-1, 4)]

    def test_labelled_folders_give_cameras(self, tmp_path):
        dataset = open_target(touch(tmp_path, "anna/door/1.jpg", "ben/yard/1.jpg"))
        assert [(identity, camera) for _, identity, camera in seen(dataset.images)] == [(-1, 0), (-1, 1)]
        assert "identities are not used" in dataset.problems[-1]

    def test_split_of_its_own_is_dropped(self, tmp_path):
        touch(tmp_path, "query/0001_c1s1_1_0.jpg", "bounding_box_test/0001_c2s1_1_0.jpg")
        with pytest.raises(DatasetError, match="no training images"):
            open_target(tmp_path)
        dataset = open_target(touch(tmp_path, "bounding_box_train/0005_c1s1_1_0.jpg"))
        assert (len(dataset.images), dataset.query, dataset.gallery) == (1, None, None)


def made_of(*rows: tuple[str, int, int]) -> Dataset:
    return Dataset("made", "made", Path("made"), tuple(Sample(Path(name), *rest) for name, *rest in rows))


class TestSplit:
    def test_own_split_comes_first(self, tmp_path):
        touch(tmp_path, "query/0001_c1s1_1_0.jpg", "bounding_box_test/0001_c2s1_1_0.jpg")
        dataset = open_dataset(tmp_path)
        assert evaluation_split(dataset)[:2] == (dataset.query, dataset.gallery)

    def test_first_image_of_the_first_camera_asks_the_other_cameras(self):
        dataset = made_of(
            ("b", 1, 1), ("a", 1, 1), ("c", 1, 2), ("d", 1, 3), ("e", 2, 3), ("f", 2, 2), ("g", -1, 2)
        )  # fmt: skip
        query, gallery, note = evaluation_split(dataset)
        assert seen(query) == [("a", 1, 1), ("f", 2, 2)]
        assert seen(gallery) == [("c", 1, 2), ("d", 1, 3), ("e", 2, 3)]
        assert "first camera" in note

    @pytest.mark.parametrize(("camera", "said"), [(-1, "no cameras known"), (4, "one camera only")])
    def test_without_several_cameras_all_others_are_the_gallery(self, camera, said):
        dataset = made_of(*((f"{person}{image}", person, camera) for person in (1, 2) for image in "cab"))
        query, gallery, note = evaluation_split(dataset)
        assert seen(query) == [("1a", 1, -1), ("2a", 2, -1)]
        assert [name for name, _, _ in seen(gallery)] == ["1b", "1c", "2b", "2c"]
        assert said in note

    def test_unknown_cameras_among_known_ones_stay_in_the_gallery(self):
        dataset = made_of(("a", 1, -1), ("b", 1, 2), ("c", 1, 2), ("d", 2, 1), ("e", 2, 2))
        query, gallery, _ = evaluation_split(dataset)
        assert seen(query) == [("b", 1, 2), ("d", 2, 1)]
        assert seen(gallery) == [("a", 1, -1), ("e", 2, 2)]

    def test_nothing_to_find_is_an_error(self):
        with pytest.raises(DatasetError, match="cannot be evaluated on"):
            evaluation_split(made_of(("a", 1, 1), ("b", 2, 2)))
        with pytest.raises(DatasetError, match="cannot be evaluated on"):
            evaluation_split(made_of(("a", 1, 1), ("b", 1, 2)))


@pytest.mark.parametrize(
    ("name", "images", "people", "gallery"), [("cuhk03", 7239, 743, None), ("cuhk01", 1940, 485, 970)]
)
def test_real_data_sets(name, images, people, gallery):
    if not (REAL / name).is_dir():
        pytest.skip(f"the real data set {name} is not on this machine")
    dataset = open_dataset(REAL / name)
    assert (len(dataset.images), dataset.identities, dataset.cameras) == (images, people, 2)
    assert dataset.problems == ()
    require_source(dataset)
    query, found, _ = evaluation_split(dataset)
    assert len(query) == people
    assert {sample.camera for sample in query} == {1}
    assert {sample.camera for sample in found} == {2}
    if gallery is not None:
        assert len(found) == gallery
    target = open_target(REAL / name)
    assert (len(target.images), target.identities, target.cameras) == (images, 0, 2)
