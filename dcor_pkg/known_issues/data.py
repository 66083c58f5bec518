"""Issues of databases, files and the object store."""

from __future__ import annotations

from dcor_pkg.known_issues.entry import WITH_PACKAGE, WITH_UPSTREAM, Entry, Place, Sign, Text

ENTRIES = (
    Entry(
        name="readable_ckan_ini",
        symptom="-rw-r--r-- root root /etc/ckan/default/ckan.ini",
        package="ckan",
        since="2.9.0",
        until="",
        cause=Text(
            "`ckan generate config` makes a file for everybody, and all secrets are in it.",
            "`ckan generate config` macht eine Datei für alle, und sämtliche Geheimnisse stehen darin.",
        ),
        cost=Text(
            "Each user of the machine reads the database's password and the key of sessions.",
            "Jeder Benutzer der Maschine liest das Passwort der Datenbank und den Schlüssel der Sitzungen.",
        ),
        found=Text("Mode and owner of the file are compared.", "Modus und Besitzer der Datei werden verglichen."),
        cure=Text(
            "The file is root's, mode 0640, for CKAN's group.", "Die Datei gehört root, Modus 0640, für CKANs Gruppe."
        ),
        undone=WITH_PACKAGE,
        place=Place.STEP,
        where="file /etc/ckan/default/ckan.ini",
        test="tests/system/test_access.py::test_files_of_ckan_cannot_be_read_by_others",
        signs=(Sign("file /etc/ckan/default/ckan.ini", "not root:www-data 0640"),),
    ),
    Entry(
        name="sql_ascii_cluster",
        symptom="createdb: error: new encoding (UTF8) is incompatible with the encoding of the template database (SQL_ASCII)",
        package="postgresql-common",
        since="248",
        until="",
        cause=Text(
            "Where no locale is set, Debian makes the first cluster in SQL_ASCII, and databases follow their template.",
            "Wo keine Sprache gesetzt ist, legt Debian den ersten Cluster in SQL_ASCII an, und Datenbanken folgen ihrer "
            "Vorlage.",
        ),
        cost=Text("CKAN's database cannot be created.", "CKANs Datenbank lässt sich nicht anlegen."),
        found=Text("The database's encoding is asked for.", "Die Kodierung der Datenbank wird abgefragt."),
        cure=Text(
            "The database is made from template0 in UTF8, whatever the cluster has.",
            "Die Datenbank entsteht aus template0 in UTF8, gleich wie der Cluster ist.",
        ),
        undone=WITH_PACKAGE,
        place=Place.STEP,
        where="postgresql database",
        test="tests/system/test_install.py::test_installation_without_a_network_from",
        signs=(Sign("postgresql database", "its encoding is"),),
    ),
    Entry(
        name="former_signatures",
        symptom="403 SignatureDoesNotMatch for a presigned address with AWSAccessKeyId= and Expires=",
        package="boto3",
        since="1.26.0",
        until="",
        cause=Text(
            "Without a region boto3 signs addresses with Signature Version 2, which the object store gets wrong where the "
            "address names the file (response-content-disposition).",
            "Ohne Region signiert boto3 Adressen mit Signature Version 2, womit der Objektspeicher falsch umgeht, wenn die "
            "Adresse die Datei nennt (response-content-disposition).",
        ),
        cost=Text("No private measurement can be downloaded.", "Keine private Messung lässt sich herunterladen."),
        found=Text(
            "AWS_DEFAULT_REGION is not set in the Python of a release.",
            "AWS_DEFAULT_REGION ist im Python eines Release nicht gesetzt.",
        ),
        cure=Text("Each Python of a release sets a region.", "Jedes Python eines Release setzt eine Region."),
        undone=WITH_PACKAGE,
        place=Place.RELEASE,
        where="dcor_runtime/startup.py",
        test="tests/system/test_private.py::test_requests_for_private_data_are_rejected_and_public_data_can_be_read",
    ),
    Entry(
        name="upload_space",
        symptom='[crit] pwrite() "/var/lib/nginx/body/0000000001" failed (28: No space left on device)',
        package="nginx",
        since="1.18.0",
        until="",
        cause=Text(
            "As the manual sets it up, nginx writes each upload into a file on the system's disk before it passes it on.",
            "Wie im Handbuch eingerichtet, schreibt nginx jede Datei erst auf die Systemplatte, bevor es sie weitergibt.",
        ),
        cost=Text(
            "Large files cannot be uploaded, and the system's disk fills up.",
            "Große Dateien lassen sich nicht hochladen, und die Systemplatte läuft voll.",
        ),
        found=Text(
            "`dcor-server status` shows space and inodes of each place that uploads pass through, and warns before the "
            "largest one that upload-limit permits would not fit.",
            "`dcor-server status` zeigt Platz und Inodes jeder Stelle, durch die Uploads gehen, und warnt, bevor der größte, "
            "den upload-limit erlaubt, nicht mehr passt.",
        ),
        cure=Text(
            "Uploads to the object store pass nginx unbuffered; bodies for CKAN itself are at most 20 MB, and its temporary "
            "files are in the scratch directory (TMPDIR).",
            "Was zum Objektspeicher geht, puffert nginx nicht; an CKAN selbst gehen höchstens 20 MB, und dessen temporäre "
            "Dateien liegen im Arbeitsverzeichnis (TMPDIR).",
        ),
        undone=WITH_PACKAGE,
        place=Place.NGINX,
        where="proxy_request_buffering off",
        test="tests/system/test_upload_space.py::test_a_gibibyte_passes_small_disks",
        signs=(Sign(".*", "No space left on device"),),
    ),
    Entry(
        name="hdf5_file_locking",
        symptom="OSError: Unable to open file (unable to lock file, errno = 37, error message = 'No locks available')",
        package="h5py",
        since="2.10.0",
        until="",
        cause=Text(
            "HDF5 locks each file that it opens, and file systems of networks (nfs, cifs, ceph, fuse) may not be able to.",
            "HDF5 sperrt jede Datei, die es öffnet, und Dateisysteme im Netz (nfs, cifs, ceph, fuse) können das nicht immer.",
        ),
        cost=Text(
            "Measurements in CKAN's directories cannot be opened: no previews, no condensed files.",
            "Messungen in CKANs Verzeichnissen lassen sich nicht öffnen: keine Vorschauen, keine condensed-Dateien.",
        ),
        found=Text(
            "A lock is tried in CKAN's directories, as CKAN's user, and the type of their file systems is looked at.",
            "In CKANs Verzeichnissen wird als CKANs Benutzer eine Sperre versucht und der Typ der Dateisysteme angesehen.",
        ),
        cure=Text(
            "HDF5_USE_FILE_LOCKING=FALSE for web, workers, timers and the admin's shell, while locks do not work.",
            "HDF5_USE_FILE_LOCKING=FALSE für Web, Jobs, Timer und die Shell des Admins, solange Sperren nicht gehen.",
        ),
        undone=Text(
            "By itself, when locks work; or by HDF5_USE_FILE_LOCKING=TRUE in the environment, which wins.",
            "Von selbst, wenn Sperren gehen; oder durch HDF5_USE_FILE_LOCKING=TRUE in der Umgebung, das vorgeht.",
        ),
        place=Place.STEP,
        where="locks of HDF5 files",
        test="tests/system/test_found_issues.py::test_on_a_real_file_system_without_locks_hdf5_fails_before_and_works_after",
        signs=(Sign("locks of HDF5 files", "are used"),),
    ),
    Entry(
        name="temporary_directory_missing",
        symptom="FileNotFoundError: [Errno 2] No such file or directory, in a job of dc_serve; "
        "ckanext.dc_serve.tmp_dir is not set",
        package="ckanext-dc_serve",
        since="0.11.1",
        until="",
        cause=Text(
            "ckanext-dc_serve expects an option for its temporary files, and a directory that it does not make.",
            "ckanext-dc_serve erwartet eine Option für temporäre Dateien und ein Verzeichnis, das es nicht anlegt.",
        ),
        cost=Text("No condensed files are made.", "Es entstehen keine condensed-Dateien."),
        found=Text("The directory is missing, or not CKAN's.", "Das Verzeichnis fehlt oder gehört nicht CKAN."),
        cure=Text(
            "ckan.ini names a directory in the scratch directory, which is made for CKAN.",
            "ckan.ini nennt ein Verzeichnis im Arbeitsverzeichnis, das für CKAN angelegt wird.",
        ),
        undone=WITH_PACKAGE,
        place=Place.STEP,
        where="directory /var/cache/dcor-server/ckanext-dc_serve",
        test="tests/unit/ckan/test_steps.py::test_ckan_owns_what_it_writes_and_its_logs_are_not_for_all",
        signs=(Sign("directory .*/ckanext-dc_serve", "is missing"),),
    ),
    Entry(
        name="options_in_the_database",
        symptom="dcor-server set site-title ends with 2 changed, and the page shows the former title",
        package="ckan",
        since="2.9.0",
        until="",
        cause=Text(
            "One save at /ckan-admin/config puts seven options into the database, where they win over ckan.ini for ever.",
            "Ein Speichern auf /ckan-admin/config legt sieben Optionen in der Datenbank ab, wo sie für immer vor ckan.ini "
            "gelten.",
        ),
        cost=Text(
            "Settings and themes of later releases have no effect, and nothing says so.",
            "Einstellungen und das Aussehen späterer Releases bleiben ohne Wirkung, und nichts weist darauf hin.",
        ),
        found=Text(
            "The options in the database are compared with those of ckan.ini.",
            "Die Optionen der Datenbank werden mit denen von ckan.ini verglichen.",
        ),
        cure=Text(
            "They are removed and recorded; the form shows in grey what settings decide.",
            "Sie werden entfernt und vermerkt; das Formular zeigt grau, was Einstellungen bestimmen.",
        ),
        undone=WITH_UPSTREAM,
        place=Place.STEP,
        where="options in the database",
        test="tests/system/test_pages.py::test_an_option_that_a_database_brings_is_reported_and_removed_and_the_setting_counts",
        signs=(Sign("options in the database"),),
    ),
)
