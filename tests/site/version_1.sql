-- A site as version 1 of the tables left it. Never edited: it stands for those that are out there.
PRAGMA application_id = 1380272452;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE cameras (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO "cameras" VALUES(1,'door');
CREATE TABLE clip_crops (
    clip_id INTEGER PRIMARY KEY REFERENCES clips (id) ON DELETE CASCADE,
    crops BLOB NOT NULL
) STRICT;
INSERT INTO "clip_crops" VALUES(1,X'0100000000000000010000000000000000000040FC54D941');
CREATE TABLE clips (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    camera_id INTEGER NOT NULL REFERENCES cameras (id),
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    started_at REAL NOT NULL,
    started_from TEXT NOT NULL,
    fps REAL NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    duration REAL,
    frames INTEGER,
    state TEXT NOT NULL CHECK (state IN ('importing', 'imported', 'failed')),
    message TEXT,
    detector TEXT NOT NULL,
    tracks INTEGER NOT NULL DEFAULT 0,
    crops INTEGER NOT NULL DEFAULT 0,
    imported_at REAL
) STRICT;
INSERT INTO "clips" VALUES(1,1,'footage/aa.mp4','aa',1234,1700000000.0,'given',10.0,640,480,5.0,50,'imported',NULL,'motion',1,1,0.0);
CREATE TABLE crop_images (
    crop_id INTEGER PRIMARY KEY REFERENCES crops (id) ON DELETE CASCADE,
    jpeg BLOB NOT NULL
) STRICT;
INSERT INTO "crop_images" VALUES(1,X'612070696374757265');
CREATE TABLE crops (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    track_id INTEGER NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    clip_id INTEGER NOT NULL REFERENCES clips (id) ON DELETE CASCADE,
    camera_id INTEGER NOT NULL REFERENCES cameras (id),
    frame INTEGER NOT NULL,
    time REAL NOT NULL,
    "left" REAL NOT NULL,
    top REAL NOT NULL,
    width REAL NOT NULL,
    height REAL NOT NULL,
    score REAL NOT NULL,
    quality REAL NOT NULL
) STRICT;
INSERT INTO "crops" VALUES(1,1,1,1,0,1700000000.0,10.0,20.0,30.0,80.0,0.75,0.5);
CREATE TABLE evaluations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    model_id TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    dataset TEXT NOT NULL,
    metrics TEXT NOT NULL,
    created_at REAL NOT NULL
) STRICT;
INSERT INTO "evaluations" VALUES(1,'m1','after','own','{"mAP": 0.5}',0.0);
CREATE TABLE models (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    card TEXT NOT NULL,
    run_id TEXT REFERENCES runs (id),
    created_at REAL NOT NULL
) STRICT;
INSERT INTO "models" VALUES('m1','adapted','{"height": 128, "width": 64, "embedding_size": 2, "sha256": "ab"}','20260101-000000-adapt',2.0);
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    spec TEXT NOT NULL,
    report TEXT,
    message TEXT,
    pid INTEGER,
    started_at REAL NOT NULL,
    finished_at REAL
) STRICT;
INSERT INTO "runs" VALUES('20260101-000000-adapt','adapt','finished','{}','{}',NULL,1,0.0,1.0);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO "settings" VALUES('name','Old town');
INSERT INTO "settings" VALUES('created_at','1700000000.0');
INSERT INTO "settings" VALUES('crops_revision','1');
INSERT INTO "settings" VALUES('current_model','m1');
INSERT INTO "settings" VALUES('vectors_revision m1','1');
CREATE TABLE sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    layout TEXT NOT NULL,
    identities INTEGER NOT NULL,
    cameras INTEGER NOT NULL,
    images INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('source', 'evaluation')),
    added_at REAL NOT NULL
) STRICT;
INSERT INTO "sources" VALUES(1,'market','sets/market','Market-1501',751,6,12936,'source',0.0);
CREATE TABLE track_boxes (
    track_id INTEGER PRIMARY KEY REFERENCES tracks (id) ON DELETE CASCADE,
    boxes BLOB NOT NULL
) STRICT;
INSERT INTO "track_boxes" VALUES(1,X'0000000000000040FC54D941000020410000A0410000F0410000A0420000403F0100000066660640FC54D941000030410000A0410000F0410000A0420000403F02000000CDCC0C40FC54D941000040410000A0410000F0410000A0420000403F');
CREATE TABLE tracks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    clip_id INTEGER NOT NULL REFERENCES clips (id) ON DELETE CASCADE,
    camera_id INTEGER NOT NULL REFERENCES cameras (id),
    first_frame INTEGER NOT NULL,
    last_frame INTEGER NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL NOT NULL,
    length INTEGER NOT NULL
) STRICT;
INSERT INTO "tracks" VALUES(1,1,1,0,2,1700000000.0,1700000000.2,3);
CREATE TABLE vectors (
    model_id TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    crop_id INTEGER NOT NULL REFERENCES crops (id) ON DELETE CASCADE,
    vector BLOB NOT NULL,
    UNIQUE (model_id, crop_id)
) STRICT;
INSERT INTO "vectors" VALUES('m1',1,X'CD38663A');
CREATE INDEX clips_by_camera ON clips (camera_id, started_at);
CREATE INDEX tracks_by_clip ON tracks (clip_id);
CREATE INDEX tracks_by_camera ON tracks (camera_id, started_at);
CREATE INDEX crops_by_time ON crops (time, id, camera_id);
CREATE INDEX crops_by_camera ON crops (camera_id, time);
CREATE INDEX crops_by_track ON crops (track_id);
CREATE INDEX crops_by_clip ON crops (clip_id);
CREATE INDEX vectors_by_crop ON vectors (crop_id);
CREATE INDEX evaluations_by_model ON evaluations (model_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('cameras',1);
INSERT INTO "sqlite_sequence" VALUES('clips',1);
INSERT INTO "sqlite_sequence" VALUES('tracks',1);
INSERT INTO "sqlite_sequence" VALUES('crops',1);
INSERT INTO "sqlite_sequence" VALUES('sources',1);
INSERT INTO "sqlite_sequence" VALUES('evaluations',1);
COMMIT;
